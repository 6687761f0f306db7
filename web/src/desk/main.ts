/** The desk: instructors, institution staff, regulators, administrators. */
import { createApp } from 'vue'
import '../ui/base.css'
import { addDesk, recall } from '../ui/catalogue'
import '../ui/catalogue/lesson'
import { desk } from '../ui/catalogue/zh-CN.desk'
import App from './App.vue'
import { router } from './router'

addDesk({ 'zh-CN': desk, en: async () => (await import('../ui/catalogue/en.desk')).desk })
void recall()
  .catch(() => undefined)
  .then(() => createApp(App).use(router).mount('#app'))
