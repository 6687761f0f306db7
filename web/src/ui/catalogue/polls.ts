/** Brings the words of polls and of sign-in, with the parts that show them. */
import { addChinese } from '.'
import { polls } from './zh-CN.polls'

addChinese(polls)
