/** Brings the words of questions and chat; whatever shows them imports this. */
import { addChinese } from '.'
import { talk } from './zh-CN.talk'

addChinese(talk)
