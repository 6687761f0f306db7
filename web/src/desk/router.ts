/** Where somebody at the desk can be. */
import { createRouter, createWebHashHistory } from 'vue-router'
import { signed, whoAmI } from '../accounts/state'
import { survive } from '../ui/survive'
import Login from './Login.vue'
import { homeOf } from './places'

export const router = createRouter({
  history: createWebHashHistory('/desk.html'),
  routes: [
    { path: '/', redirect: () => (signed.value.me ? homeOf(signed.value.me.role) : '/login') },
    { path: '/login', component: Login, meta: { open: true, title: 'desk.login' } },
    { path: '/welcome/:token', component: () => import('./Welcome.vue'), meta: { open: true, title: 'welcome.title' }, props: true },
    { path: '/lessons', component: () => import('../live/desk/Lessons.vue'), meta: { title: 'nav.lessons' } },
    { path: '/lessons/:id', component: () => import('../live/desk/LessonPage.vue'), meta: { title: 'strips.title' }, props: true },
    { path: '/lessons/:id/room', component: () => import('../live/desk/HostPage.vue'), meta: { title: 'title.room' }, props: true },
    { path: '/lessons/:id/replay', component: () => import('../playback/ReplayPage.vue'), meta: { title: 'title.replay' }, props: ({ params: { id } }) => ({ id, back: `/lessons/${String(id)}` }) },
    { path: '/classes', component: () => import('../training/desk/Classes.vue'), meta: { title: 'nav.classes' } },
    { path: '/classes/:id', component: () => import('../training/desk/ClassPage.vue'), meta: { title: 'title.class' }, props: true },
    { path: '/classes/:id/trainees/:person', component: () => import('../oversight/desk/TraineePage.vue'), meta: { title: 'title.trainee' }, props: true },
    { path: '/classes/:id/slips', component: () => import('../training/desk/SlipsPage.vue'), meta: { title: 'slips.title' }, props: true },
    { path: '/people', component: () => import('../accounts/desk/People.vue'), meta: { title: 'nav.people' } },
    { path: '/institutions', component: () => import('../training/desk/Institutions.vue'), meta: { title: 'nav.institutions' } },
    { path: '/corrections', component: () => import('../attendance/desk/Corrections.vue'), meta: { title: 'corrections.title' } },
    { path: '/notable', component: () => import('../attendance/desk/NotablePage.vue'), meta: { title: 'notable.title' } },
    { path: '/oversight', component: () => import('../oversight/desk/Oversight.vue'), meta: { title: 'nav.oversight' } },
    { path: '/password', component: () => import('../accounts/ChangePassword.vue'), meta: { title: 'password.title' } },
    { path: '/:rest(.*)', redirect: '/' },
  ],
})

router.afterEach((to, from) => { if (to.path !== from.path) window.scrollTo(0, 0) })

survive(router)

/** Whoever is signed in already needs no login page. */
async function whoIsIn(): Promise<string | true> {
  const me = await whoAmI().catch(() => undefined)
  return me && me.role !== 'trainee' ? homeOf(me.role) : true
}

router.beforeEach(async (to) => {
  if (to.meta.open) return to.path === '/login' ? whoIsIn() : true
  const me = await whoAmI().catch(() => undefined)
  if (me === null) return { path: '/login', query: { next: to.fullPath } }
  if (me?.role === 'trainee') {
    window.location.assign('/learn.html')
    return false
  }
  return true
})
