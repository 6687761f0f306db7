/** Brings the words of the room and of the minutes; whatever shows them and is loaded by itself imports this. */
import { addChinese } from '.'
import { lesson } from './zh-CN.lesson'

addChinese(lesson)
