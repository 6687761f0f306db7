/** Gives a file to the browser's downloads. */
export function keep(file: { name: string; content: Blob }): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file.content)
  link.download = file.name
  link.click()
  setTimeout(() => { URL.revokeObjectURL(link.href) })
}
