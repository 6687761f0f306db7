/** The trainee's pages. Small: the room and its socket come when a lesson is entered. */
import { createApp } from 'vue'
import '../ui/base.css'
import { recall } from '../ui/catalogue'
import App from './App.vue'
import { router } from './router'

void recall()
  .catch(() => undefined)
  .then(() => createApp(App).use(router).mount('#app'))
