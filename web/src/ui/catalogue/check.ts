/** Brings the words of the check before a lesson. */
import { addChinese } from '.'
import { check } from './zh-CN.check'

addChinese(check)
