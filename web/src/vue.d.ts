/** For tools that read TypeScript but no .vue files (eslint); vue-tsc sees the real components. */
declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent
  export default component
}
