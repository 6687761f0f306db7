/** The own place on stage with the doors of this browser. */
import { captureSmall, faultOf, release } from '../media/capture'
import { Publisher } from '../media/whip'
import { OwnPlace } from './stage'
import type { Talk } from './talk'

export function ownPlace(talk: Talk): OwnPlace {
  return new OwnPlace({
    capture: captureSmall,
    faultOf,
    release,
    token: async (number) => await talk.guest(number),
    publish: (token, stream) => new Publisher(
      async (again) => {
        const access = await token(again)
        return access?.whip ? { url: access.whip, token: access.token, ice: access.ice } : null
      },
      () => undefined,
      stream,
      true,
    ),
  })
}
