/** A value that tells its listeners when it is replaced: state without a framework. */
export class Store<T> {
  #value: T
  readonly #heard = new Set<(value: T) => void>()
  constructor(value: T) {
    this.#value = value
  }
  get value(): T {
    return this.#value
  }
  set(value: T): void {
    this.#value = value
    for (const heard of [...this.#heard]) heard(value)
  }
  patch(part: Partial<T>): void {
    this.set({ ...this.#value, ...part })
  }
  subscribe(heard: (value: T) => void): () => void {
    this.#heard.add(heard)
    return () => this.#heard.delete(heard)
  }
}
