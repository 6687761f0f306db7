/** Decides what a playlist of a recording says: which stretch of which file was when (media/replay.py writes it). Pure. */

/** One file: its init segment, and what is in it ("avc1.42e01f,opus"). */
export interface Reel { init: string; codecs: string }
/** A stretch of a file; when it begins and ends, in seconds since 1970. */
export interface Piece { reel: Reel; url: string; begins: number; ends: number }
/** `over`: nothing will be added. */
export interface Listed { pieces: Piece[]; over: boolean }

/** Two pieces no further apart than this follow each other. */
export const JOINT_S = 0.25

/** In the order of time; a piece ends where the next one begins; the last one of a list that grows may grow itself, and is left out. Addresses are resolved against the playlist's own. */
export function readPlaylist(text: string, url: string): Listed {
  const [head = '', ...files] = text.split('#EXT-X-MAP:')
  let codecs = said(head, 'codecs ')
  const pieces = files.flatMap((file) => {
    const reel: Reel = { init: new URL(file.split('"')[1] ?? '', url).href, codecs }
    codecs = said(file, 'codecs ')
    return piecesOf(reel, file, url)
  })
  pieces.sort((one, other) => one.begins - other.begins)
  const over = text.includes('#EXT-X-ENDLIST')
  if (!over) pieces.pop()
  pieces.forEach((piece, index) => { piece.ends = Math.min(piece.ends, pieces[index + 1]?.begins ?? piece.ends) })
  return { pieces, over }
}

function piecesOf(reel: Reel, file: string, url: string): Piece[] {
  let at = Date.parse(said(file, 'EXT-X-PROGRAM-DATE-TIME:')) / 1000
  return [...file.matchAll(/#EXTINF:([\d.]+),\n(\S+)/g)].map(([, seconds = '0', address = '']) => {
    const begins = at
    at += parseFloat(seconds)
    return { reel, url: new URL(address, url).href, begins, ends: at }
  })
}

/** What a line says that begins like this. */
const said = (text: string, name: string): string => new RegExp(`^#${name}(.*)$`, 'm').exec(text)?.[1] ?? ''

/** What is played at a moment: the piece that is there, else the next one; none behind the last. */
export function pieceAt(pieces: readonly Piece[], moment: number): Piece | undefined {
  return pieces.find((piece) => piece.ends > moment)
}

/** Whether something was recorded at a moment. */
export function there({ pieces }: Listed, moment: number): boolean {
  const piece = pieceAt(pieces, moment)
  return piece !== undefined && piece.begins <= moment
}

/** Whether both have pictures, or neither: only then one media source takes them. */
export const alike = (one: Reel, other: Reel): boolean => hasPicture(one) === hasPicture(other)
export const hasPicture = (reel: Reel): boolean => reel.codecs.startsWith('avc')

/**
 * The time of a part as its file says it, in seconds: the media time of its producer reference time box (ISO/IEC 14496-12 section
 * 8.16.5), with which each of our parts begins, in the scale of the track that it names.
 */
export function mediaTime(part: ArrayBuffer): number {
  const view = new DataView(part)
  return Number(view.getBigUint64(24)) / (view.getUint32(12) === 1 ? 90_000 : 48_000)
}
