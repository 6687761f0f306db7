/** A part of the pages that cannot be fetched: the server is away, or has newer pages. Go on as soon as it answers. */
import type { Router } from 'vue-router'
import { get, reach } from '../wire/http'

const NOT_FETCHED = /dynamically imported module|module script failed|preload/i

export function survive(router: Router): void {
  router.onError((fault, to) => {
    if (!(fault instanceof Error) || !NOT_FETCHED.test(fault.message)) return
    // The whole page anew: its new parts have other names.
    const go = () => {
      window.location.hash = to.fullPath
      window.location.reload()
    }
    void get('/site').then(go, () => {
      const stop = reach.subscribe((now) => {
        if (now !== 'there') return
        stop()
        go()
      })
    })
  })
}
