/** Decides what a page's key is: an uncompressed point of P-256 in base64 (server/verify/pages.py). */
import { decode, hex } from './notes'
import { Refused, type Bytes } from './tree'

const KEY_BYTES = 65
const UNCOMPRESSED = 4
/** y² = x³ - 3x + B modulo P (FIPS 186-4, D.1.2.3). */
const P = BigInt('0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff')
const B = BigInt('0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b')

/** Throws Refused. */
export function readPageKey(text: string): Bytes {
  const raw = decode(text)
  if (raw.length !== KEY_BYTES || raw[0] !== UNCOMPRESSED) throw new Refused("a page's key has 65 bytes")
  const [x, y] = [raw.subarray(1, 33), raw.subarray(33)].map((one) => BigInt(`0x${hex(one)}`)) as [bigint, bigint]
  if (x >= P || y >= P || (x * x * x - BigInt(3) * x + B - y * y) % P) throw new Refused("a page's key is no point of P-256")
  return raw
}
