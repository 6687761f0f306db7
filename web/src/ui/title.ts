/** The page's title and language: what a tab, a history and a screen reader say first. */
import { watchEffect } from 'vue'
import { useRoute } from 'vue-router'
import { t, type Key } from './catalogue'

declare module 'vue-router' {
  interface RouteMeta {
    /** Anybody may come here. */
    open?: boolean
    /** What this page is called. */
    title?: Key
  }
}

/** Keeps `document.title` as "page · place" in the language shown. */
export function useTitle(place: () => string): void {
  const route = useRoute()
  watchEffect(() => {
    document.title = route.meta.title ? t('title.page', { page: t(route.meta.title), place: place() }) : place()
  })
}
