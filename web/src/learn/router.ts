/** Where a trainee can be; everything but the two doors needs a login. */
import { createRouter, createWebHashHistory } from 'vue-router'
import { whoAmI } from '../accounts/state'
import { survive } from '../ui/survive'
import Login from './Login.vue'
import Today from './Today.vue'

export const router = createRouter({
  history: createWebHashHistory('/learn.html'),
  routes: [
    { path: '/', redirect: '/today' },
    { path: '/login', component: Login, meta: { open: true, title: 'login.title' } },
    { path: '/enter/:token', component: () => import('./Enter.vue'), meta: { open: true, title: 'enter.title' }, props: true },
    { path: '/today', component: Today, meta: { title: 'title.today' } },
    { path: '/lesson/:id', component: () => import('../live/Room.vue'), meta: { title: 'title.room' }, props: true },
    { path: '/lesson/:id/record', component: () => import('../live/RecordPage.vue'), meta: { title: 'title.record' }, props: true },
    { path: '/lesson/:id/replay', component: () => import('../playback/ReplayPage.vue'), meta: { title: 'title.replay' }, props: ({ params: { id } }) => ({ id, back: `/lesson/${String(id)}/record` }) },
    { path: '/check', component: () => import('../live/CheckPage.vue'), meta: { title: 'title.check' } },
    { path: '/password', component: () => import('../accounts/ChangePassword.vue'), meta: { title: 'password.title' } },
    { path: '/:rest(.*)', redirect: '/today' },
  ],
})

router.afterEach((to, from) => { if (to.path !== from.path) window.scrollTo(0, 0) })

survive(router)

router.beforeEach(async (to) => {
  if (to.meta.open) {
    // The door is open to everybody; who comes is asked beside it for the site's name and its demo mark.
    void whoAmI().catch(() => undefined)
    return true
  }
  const me = await whoAmI().catch(() => undefined)
  if (me === null) return { path: '/login', query: { next: to.fullPath } }
  if (me && me.role !== 'trainee') {
    window.location.assign('/desk.html')
    return false
  }
  return true
})
