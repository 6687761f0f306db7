/** The stage as pages show it: the line of hands, who is on stage, and the own place, whose media are kept up. Pure but for its doors. */
import type { CaptureFault } from '../media/capture'
import { Store } from '../ui/store'
import type { MediaAccess, StageView } from '../wire/types'

export type Stages = ReadonlyMap<string, StageView>

/** Whose hand is up, whoever is next first: who was never on stage comes first, then who raised it first. The server's own order. */
export function line(stages: Stages): StageView[] {
  const up = [...stages.values()].filter((one) => one.hand !== null)
  return up.sort((a, b) => a.turns - b.turns || (a.hand ?? 0) - (b.hand ?? 0))
}

/** One's place in line, from 1; null: the hand is down. */
export function placeOf(stages: Stages, person: string): number | null {
  return line(stages).findIndex((one) => one.id === person) + 1 || null
}

const by = (where: StageView['where']) => (stages: Stages): StageView[] => (
  [...stages.values()].filter((one) => one.where === where).sort((a, b) => a.number - b.number)
)
export const onStage = by('on')
export const invited = by('invited')

/** What publishes: made of a stream, started and stopped. */
export interface Sending { start(): void; stop(): void; show(picture: boolean): Promise<void> }

/** What the own place needs of the browser and the server. */
export interface Doors {
  capture(picture: boolean): Promise<MediaStream>
  faultOf(fault: unknown): CaptureFault
  release(stream: MediaStream | null): void
  token(number: number): Promise<MediaAccess | null>
  publish(token: (again: boolean) => Promise<MediaAccess | null>, stream: () => MediaStream | null): Sending
}

export interface OwnView {
  stream: MediaStream | null
  /** Why there is nothing to send although one is on stage. */
  fault: CaptureFault | null
  /** Devices are being asked for. */
  asking: boolean
}

/**
 * One's own camera and microphone, first tried, then sent while one is on stage. After a reload they are asked for again, and
 * sent by themselves. Down is down: at once nothing is sent, and the devices are let go.
 */
export class OwnPlace {
  readonly view = new Store<OwnView>({ stream: null, fault: null, asking: false })
  readonly #doors: Doors
  #sending: Sending | null = null
  #number = 0
  #tries = 0

  constructor(doors: Doors) {
    this.#doors = doors
  }

  /** Asks for the devices; a picture that cannot be had is done without only when that is asked for. */
  async open(picture = true): Promise<MediaStream | null> {
    const attempt = ++this.#tries
    this.#drop()
    this.view.patch({ asking: true, fault: null })
    try {
      const stream = await this.#doors.capture(picture)
      if (attempt !== this.#tries) {
        this.#doors.release(stream)
        return null
      }
      this.view.patch({ stream, asking: false })
      return stream
    } catch (fault) {
      if (attempt === this.#tries) this.view.patch({ asking: false, fault: this.#doors.faultOf(fault) })
      return null
    }
  }

  /** Called with each change of the own place; `leaving` invitations lets the devices go as well. */
  async follow(me: StageView | null): Promise<void> {
    if (me?.where === 'on') {
      if (this.#number !== me.number) await this.#begin(me)
      this.#apply(me)
      return
    }
    this.#end()
    if (me?.where !== 'invited') this.#letGo()
  }

  /** The page goes away. */
  close(): void {
    this.#end()
    this.#letGo()
  }

  /** On stage without devices: tried again by hand. */
  async again(me: StageView): Promise<void> {
    this.#end()
    await this.follow(me)
  }

  async #begin(me: StageView): Promise<void> {
    this.#end()
    this.#number = me.number
    if (!this.view.value.stream) {
      const stream = await this.open(me.own_picture)
      if (!stream || this.#number !== me.number) return
    }
    this.#sending = this.#doors.publish(async () => await this.#doors.token(me.number), () => this.view.value.stream)
    void this.#sending.show(me.own_picture && me.may_picture)
    this.#sending.start()
  }

  /** What is switched off is not sent either: the forwarder would throw it away. */
  #apply(me: StageView): void {
    const { stream } = this.view.value
    for (const track of stream?.getAudioTracks() ?? []) track.enabled = me.own_voice && me.may_voice && !me.silenced
    void this.#sending?.show(me.own_picture && me.may_picture)
  }

  #end(): void {
    this.#sending?.stop()
    this.#sending = null
    this.#number = 0
  }

  #letGo(): void {
    this.#tries += 1
    this.#drop()
    this.view.patch({ asking: false, fault: null })
  }

  #drop(): void {
    const { stream } = this.view.value
    if (!stream) return
    this.#doors.release(stream)
    this.view.patch({ stream: null })
  }
}
