/** Brings the words of raised hands and the stage. */
import { addChinese } from '.'
import { stage } from './zh-CN.stage'

addChinese(stage)
