/** What the checking page says. It travels alone in an export, so its words travel with it. */
import type { Code, Finding } from './check'

export type Language = 'zh' | 'en'

const zh = {
  title: '核验学时存证',
  lead: '把导出的压缩包（.zip）放进来，当场重算每一分钟。文件只在这台电脑上读取，不上传，不联网。',
  drop: '把压缩包拖到这里',
  choose: '选择文件',
  also: '也可以一起放入密钥文件（.txt）和以前保存的存证卡（.json）。',
  working: '正在重算第 {done} / {all} 分钟…',
  holds: '全部一致',
  holdsMore: '每一条记录都算到了签名的根，签名者在您给出的密钥里。没有任何一分钟被改动。',
  unknown: '前后一致，来源未经认证',
  unknownMore: '没有发现改动。但还没有给出日志的公钥，所以不能确定这是谁的日志。公钥请从平台以外的途径取得。',
  changed: '已被改动',
  changedMore: '下列记录与签名的存证不符：',
  refused: '不能核验',
  lesson: '第 {n} 课次',
  minutes: '{n} 分钟',
  people: '{n} 人',
  credited: '已记录 {n} 分钟',
  more: '另有 {n} 处',
  strip: '{lesson}，{n} 分钟，{bad} 分钟与存证不符',
  fine: '一致',
  gap: '未及时封存',
  bad: '不符',
  facts: '核验了什么',
  factMinutes: '分钟',
  factRecords: '条记录',
  factLog: '日志里的分钟',
  signedBy: '签名',
  nobody: '未认证',
  witnesses: '外部见证',
  noWitness: '无外部见证',
  dependent: '{name}（非独立：与平台同属一方）',
  unwitnessed: '{n} 分钟没有被及时见证，从 {when} 起',
  gaps: '{n} 分钟未及时封存（当时服务中断）',
  clock: '{n} 分钟封存时时钟有误',
  sheets: '台账文件',
  sheetsGood: '{n} 个台账文件的学时与存证逐行一致',
  sheetsNone: '压缩包里没有台账文件，只核验了存证',
  trust: '公钥',
  trustLead: '每行一个。请从平台以外的途径取得，例如主管部门公布的，或您自己第一次保存的。',
  trustApply: '用这些公钥再核验一次',
  trustBad: '有一行不是公钥',
  card: '存证卡',
  cardLead: '把这次看到的日志状态存成一个小文件。下次连同新的压缩包一起放进来，就能看出日志有没有被改写过：您就是一名见证人。',
  cardSave: '保存存证卡',
  cardGood: '与您的存证卡一致：从第一分钟到卡上的第 {n} 分钟，没有被改写。',
  cardBad: '与您的存证卡不符：卡上见过的日志已被改写或换成了另一份。',
  cardOlder: '存证卡比这个压缩包新，不能比较；请放入更新的导出。',
  print: '打印',
  limits: '它不能说明什么',
  limitOne: '存证证明记录没有被改动，不证明坐在屏幕前的是谁；那要靠人脸核验和人工检查。',
  limitTwo: '从第一秒起就编造的整节课，这里看不出来；那要靠外部见证、登记的终端和现场抽查。',
  limitThree: '学员姓名与座号的对应在台账里，不在存证里。',
  none: '没有选到 .zip 或 evidence.json',
  other: 'English',
  served: '提示：平台网页上的核验只是方便；要独立核验，请双击压缩包里的“核验.html”。',
}

const en: typeof zh = {
  title: 'Check the evidence of class hours',
  lead: 'Drop the exported package (.zip) here and every minute is worked out again. Files are read on this computer only; nothing is sent.',
  drop: 'Drop the package here',
  choose: 'Choose files',
  also: 'Add a file of keys (.txt) and evidence cards (.json) kept earlier, if there are any.',
  working: 'Working out minute {done} of {all}…',
  holds: 'All holds',
  holdsMore: 'Every record leads to the signed root, and the signer is among your keys. Not one minute was changed.',
  unknown: 'Consistent, NOT authenticated',
  unknownMore: 'No change was found. But no key of the log was given, so nobody can tell whose log this is. Get the key from elsewhere than the platform.',
  changed: 'Changed',
  changedMore: 'These records do not fit the signed evidence:',
  refused: 'Cannot be checked',
  lesson: 'Lesson {n}',
  minutes: '{n} minutes',
  people: '{n} people',
  credited: '{n} minutes recorded',
  more: 'and {n} more',
  strip: '{lesson}, {n} minutes, {bad} of them do not fit',
  fine: 'fits',
  gap: 'sealed late',
  bad: 'does not fit',
  facts: 'What was checked',
  factMinutes: 'minutes',
  factRecords: 'records',
  factLog: 'minutes in the log',
  signedBy: 'Signed by',
  nobody: 'not authenticated',
  witnesses: 'Outside witnesses',
  noWitness: 'no outside witness',
  dependent: '{name} (not independent: kept by the operator)',
  unwitnessed: '{n} minutes were not witnessed in time, from {when}',
  gaps: '{n} minutes were sealed late (the service was down)',
  clock: '{n} minutes were dated by a wrong clock',
  sheets: 'Ledger files',
  sheetsGood: '{n} ledger files say, row by row, what the evidence proves',
  sheetsNone: 'there is no ledger in the package; only the evidence was checked',
  trust: 'Keys',
  trustLead: 'One in a line. Get them from elsewhere than the platform: from the authority, or as you kept them the first time.',
  trustApply: 'Check again with these keys',
  trustBad: 'a line is not a key',
  card: 'Evidence card',
  cardLead: 'Keeps the state of the log as you saw it in a small file. Add it to the next package and you will see whether the log was rewritten: you are a witness.',
  cardSave: 'Save the card',
  cardGood: 'It fits your card: from the first minute to minute {n} of the card nothing was rewritten.',
  cardBad: 'It does not fit your card: the log that you saw was rewritten or replaced.',
  cardOlder: 'The card is newer than this package and cannot be compared; use a newer export.',
  print: 'Print',
  limits: 'What it does not tell',
  limitOne: 'Evidence proves that records were not changed, not who sat before the screen: that rests on face checks and on people.',
  limitTwo: 'A lesson that was invented from its first second cannot be told here: that rests on outside witnesses, registered devices and visits.',
  limitThree: 'Which name sits on which seat stands in the ledger, not in the evidence.',
  none: 'neither a .zip nor evidence.json was chosen',
  other: '中文',
  served: 'Note: checking on the platform’s own page is a convenience. To check independently, open 核验.html from the package.',
}

export type Word = keyof typeof zh
export const words: Record<Language, typeof zh> = { zh, en }

const CODES: Record<Code, [string, string]> = {
  leaf_changed: ['这一分钟被改动', 'this minute was changed'],
  leaf_moved: ['这一分钟被移动或重复', 'this minute was moved or stands twice'],
  group_changed: ['这一分钟的汇总被改动', 'the sums of this minute were changed'],
  record_changed: ['被改动', 'was changed'],
  records_changed: ['这一分钟的记录有增减、移动或改动', 'records of this minute were added, removed, moved or changed'],
  evidence_changed: ['明细与已封存的摘要不符', 'the details do not fit their sealed digest'],
  minute_moved: ['记录不在它所属的分钟里', 'a record lies in another minute than its own'],
  minute_doubled: ['同一分钟记了两次', 'one minute was recorded twice'],
  minute_missing: ['缺少记录', 'records are missing'],
  minute_wrong: ['记录不合规则', 'a record breaks the rules'],
  sum_wrong: ['合计与记录不符', 'the sum does not fit the records'],
  total_wrong: ['总时长与各分钟之和不符', 'the total does not fit its minutes'],
  sheet_differs: ['台账里的学时与存证不符', 'the ledger says another time than the evidence proves'],
}

const LOCAL_MS = 8 * 3_600_000

/** A unix minute as the clock on the wall showed it (China Standard Time). */
export const moment = (slot: number): string => new Date(slot * 60_000 + LOCAL_MS).toISOString().slice(0, 16).replace('T', ' ')

/** 第 3 课次 10:14 学员 #17 被改动. */
export function sentence(found: Finding, language: Language): string {
  const chinese = language === 'zh'
  const parts: string[] = []
  if (found.lesson >= 0) parts.push(chinese ? `第 ${found.lesson} 课次` : `lesson ${found.lesson}`)
  if (found.slot >= 0) parts.push(moment(found.slot))
  if (found.seat >= 0) parts.push(chinese ? `学员 #${found.seat}` : `trainee #${found.seat}`)
  const [inChinese, inEnglish] = CODES[found.code]
  return chinese ? [...parts, inChinese].join(' ') : `${parts.join(', ')}: ${inEnglish}`
}

export function fill(text: string, values: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}
