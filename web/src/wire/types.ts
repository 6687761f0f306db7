// Generated from the server's declarations by `python -m server types`. Do not edit.

export interface LoginRequest {
  login: string
  password: string
  ticket: string
  proof: string
}

export interface Me {
  id: string
  role: Role
  name: string
  login: string
  institution: InstitutionRef | null
  area: string | null
}

export type Role = 'trainee' | 'instructor' | 'staff' | 'regulator' | 'administrator'

export interface InstitutionRef {
  id: string
  name: string
  area: string
}

export type Nothing = Record<string, never>

export interface Who {
  me: Me | null
}

export interface Logins {
  logins: Login[]
}

export interface Login {
  since: string
  used: string
  current: boolean
}

export interface PasswordRequest {
  old: string
  new: string
}

export interface OpenRequest {
  secret: string
  proof: string
}

export interface Opened {
  name: string
  login: string
  role: Role
  class_name: string | null
  needs: 'password'
}

export interface RedeemRequest {
  secret: string
  password: string
  ticket: string
  proof: string
}

export interface PeopleRequest {
  role: Role | null
}

export interface PeopleAnswer {
  people: PersonRow[]
}

export interface PersonRow {
  id: string
  role: Role
  name: string
  login: string
  institution_name: string | null
  area: string | null
  active: boolean
  deactivated: boolean
}

export interface NewPersonRequest {
  role: Role
  name: string
  login: string
  institution_id: string | null
  area: string | null
}

export interface NewPersonAnswer {
  person_id: string
  link: string
}

export interface PersonRequest {
  person_id: string
}

export interface ResetAnswer {
  link: string | null
  slip: SlipCode | null
}

export interface SlipCode {
  class_token: string
  code: string
}

export interface PlaceRequest {
  person_id: string
  role: Role
  institution_id: string | null
  area: string | null
}

export interface Site {
  demo: boolean
  operator: string
  record_number: string
  version: string
  now: string
}

export interface Institutions {
  institutions: InstitutionRef[]
}

export interface NewInstitution {
  name: string
  area: string
}

export interface Schemes {
  schemes: OfferedScheme[]
}

export interface OfferedScheme {
  id: string
  scheme: SchemeRef
}

export interface SchemeRef {
  name: string
  version: number
  title: string
  rules: Rules
  challenges: ChallengeRule | null
}

export interface Rules {
  class_hour_ms: number
  rounding: Rounding
  daily_cap_ms: number | null
  shortest_ms: number | null
  complete_percent: number | null
  late_ms: number | null
}

export type Rounding = 'down' | 'nearest'

export interface ChallengeRule {
  limit_ms: number
  answer_ms: number
}

export interface Classes {
  classes: ClassView[]
}

export interface ClassView {
  id: string
  code: string
  name: string
  institution: InstitutionRef
  area: string
  occupation: string
  level: string
  starts_on: string
  ends_on: string
  required_hours: number
  scheme: SchemeRef
  trainees: number
  live: number
  lessons: number
}

export interface NewClass {
  code: string
  name: string
  institution_id: string | null
  occupation: string
  level: string
  starts_on: string
  ends_on: string
  required_hours: number
  scheme_id: string
}

export interface OneClass {
  class_id: string
}

export interface ClassDetail {
  id: string
  code: string
  name: string
  institution: InstitutionRef
  area: string
  occupation: string
  level: string
  starts_on: string
  ends_on: string
  required_hours: number
  scheme: SchemeRef
  trainees: number
  live: number
  lessons: LessonView[]
}

export interface LessonView {
  id: string
  class_id: string
  class_code: string
  class_name: string
  institution_name: string
  number: number
  title: string
  subject_kind: SubjectKind
  delivery: 'online'
  mode: 'live'
  planned_start: string
  planned_end: string
  instructor_id: string
  instructor_name: string
  state: LessonState
  started_at: string | null
  ended_at: string | null
}

export type SubjectKind = 'theory' | 'practice' | 'general' | 'simulation'

export type LessonState = 'planned' | 'starting' | 'start_failed' | 'live' | 'paused' | 'break' | 'ended'

export interface NewLesson {
  class_id: string
  number: number
  title: string
  subject_kind: SubjectKind
  planned_start: string
  planned_end: string
  instructor_id: string
}

export interface Trainees {
  trainees: Trainee[]
}

export interface Trainee {
  person_id: string
  seat: number
  name: string
  id_number_masked: string
  login: string
  active: boolean
  deactivated: boolean
}

export interface Lessons {
  lessons: LessonView[]
}

export interface OneLesson {
  lesson_id: string
}

export interface LessonRequest {
  lesson_id: string
}

export interface Strips {
  lesson: LessonView
  first_slot: number
  last_slot: number
  planned_first_slot: number
  planned_last_slot: number
  rows: StripRow[]
  view_id: string | null
}

export interface StripRow {
  person_id: string
  seat: number
  name: string
  totals: Totals
  cells: Cell[]
}

export interface Totals {
  open_ms: number
  credit_ms: number
  corrected_ms: number
  pending_ms: number
  confirmed_ms: number
  reasons: ReasonMs[]
  refused: ReasonMs[]
  state: RecordState
  cut: ReasonMs[]
  complete: boolean | null
  late: boolean | null
}

export interface ReasonMs {
  code: string
  ms: number
}

export type RecordState = 'recorded' | 'pending' | 'confirmed' | 'refused'

export interface Cell {
  slot: number
  open_ms: number
  credit_ms: number
  reasons: ReasonMs[]
  sealed: boolean
  corrected_ms: number | null
  pending_ms: number
  refused: ReasonMs[]
  detail: Detail | null
  cut: ReasonMs[]
  grade: number
}

export interface Detail {
  spells: Spell[]
  refused: number
  lagged_ms: number
  surplus_ms: number
}

export interface Spell {
  state: string
  start_ms: number
  end_ms: number
}

export interface Today {
  now: string
  lessons: MyLesson[]
  classes: MyClass[]
}

export interface MyLesson {
  lesson: LessonView
  my: Totals
}

export interface MyClass {
  class_id: string
  class_name: string
  hours: Hours
  settled: OwnSettlement | null
}

export interface Hours {
  class_hours: number
  remainder_ms: number
  required_hours: number
  scheme: SchemeRef
}

export interface OwnSettlement {
  number: number
  at: string
  scheme: SchemeRef
  hours: SettledHours
}

export interface SettledHours {
  class_hours: number
  remainder_ms: number
  confirmed_ms: number
  capped_ms: number
  short_ms: number
  lessons: SettledLesson[]
}

export interface SettledLesson {
  number: number
  open_ms: number
  confirmed_ms: number
  capped_ms: number
  short_ms: number
  complete: boolean | null
  late: boolean | null
}

export interface ClassRequest {
  class_id: string
}

export interface ClassHoursAnswer {
  rows: HoursRow[]
}

export interface HoursRow {
  person_id: string
  hours: Hours
}

export interface NewAppeal {
  lesson_id: string
  first_slot: number
  last_slot: number
  text: string
}

export interface AppealView {
  id: string
  lesson_id: string
  first_slot: number
  last_slot: number
  text: string
  at: string
  state: AppealState
  answer: string | null
  answered_at: string | null
}

export type AppealState = 'open' | 'proposed' | 'corrected' | 'refused'

export interface LessonAppeals {
  lesson_id: string
}

export interface Appeals {
  appeals: AppealView[]
  until: string | null
}

export interface AppealRefusal {
  appeal_id: string
  text: string
}

export interface CorrectionQueue {
  appeals: AskedView[]
  corrections: CorrectionView[]
  rates: InstitutionRate[]
  view_id: string | null
}

export interface AskedView {
  appeal: AppealView
  lesson: LessonView
  trainee: WhoseMinutes
}

export interface WhoseMinutes {
  person_id: string
  seat: number
  name: string
}

export interface CorrectionView {
  id: string
  lesson: LessonView
  trainee: WhoseMinutes | null
  people: number
  first_slot: number
  last_slot: number
  minutes: number
  before_ms: number
  after_ms: number
  measure: Measure
  text: string
  appeal_id: string
  reverses: string
  state: Standing
  own: boolean
  proposed_by: string
  proposed_at: string
  decided_by: string | null
  decided_at: string | null
  decided_text: string | null
  objected_at: string | null
  objection: string | null
}

export type Measure = 'full' | 'fault' | 'none' | 'reverse'

export type Standing = 'proposed' | 'approved' | 'refused' | 'objected'

export interface InstitutionRate {
  institution_name: string
  recorded_ms: number
  given_ms: number
  taken_ms: number
}

export interface NewCorrection {
  lesson_id: string
  person_id: string | null
  first_slot: number
  last_slot: number
  measure: Measure
  text: string
  appeal_id: string | null
}

export interface CorrectionRef {
  id: string
}

export interface CorrectionDecision {
  correction_id: string
  verdict: Verdict
  text: string
}

export type Verdict = 'approved' | 'refused'

export interface CorrectionReason {
  correction_id: string
  text: string
}

export interface SettleRequest {
  class_id: string
  scheme: string | null
}

export interface SettlementRef {
  number: number
}

export interface SettledClass {
  class_id: string
}

export interface SettlementsOfClass {
  settlements: SettlementView[]
  view_id: string | null
}

export interface SettlementView {
  number: number
  at: string
  scheme: SchemeRef
  ordered_by: string
  rows: SettledRow[]
}

export interface SettledRow {
  person_id: string
  seat: number
  name: string
  hours: SettledHours
}

export interface NotableList {
  notable: NotableView[]
  view_id: string | null
}

export interface NotableView {
  lesson: LessonView
  trainee: NotableTrainee
  why: Why
  times: number
  least_ms: number | null
  others: NotableTrainee[]
  open: boolean
  looks: NotableLook[]
}

export interface NotableTrainee {
  person_id: string
  seat: number
  name: string
}

export type Why = 'too_fast' | 'in_step' | 'not_shown'

export interface NotableLook {
  by: string
  at: string
  times: number
  text: string
}

export interface NewLook {
  lesson_id: string
  person_id: string
  why: Why
  times: number
  text: string
}

export interface KeptPolls {
  polls: KeptPoll[]
  sign_ins: KeptSignIn[]
  view_id: string | null
}

export interface KeptPoll {
  id: string
  face: PollFace
  tally: PollTally
  texts: PollText[]
  people: PollPerson[]
}

export interface PollFace {
  state: 'draft' | 'open' | 'closed' | 'withdrawn'
  kind: 'single' | 'multiple' | 'judgement' | 'text'
  text: string
  choices: string[]
  least: number
  most: number
  seconds: number | null
  anonymous: boolean
  changeable: boolean
  quiz: boolean
  right: number[]
  shown: boolean
  opened_ms: number | null
  closes_ms: number | null
  closed_ms: number | null
}

export interface PollTally {
  answered: number
  counts: number[]
  texts: PollText[]
  different: number
}

export interface PollText {
  text: string
  count: number
}

export interface PollPerson {
  person_id: string
  seat: number
  name: string
  answered: boolean
  choices: number[]
  text: string
  right: boolean | null
}

export interface KeptSignIn {
  id: string
  opened_ms: number
  closed_ms: number | null
  people: SignedIn[]
}

export interface SignedIn {
  person_id: string
  seat: number
  name: string
  at_ms: number | null
}

export interface QuestionsRequest {
  lesson_id: string
}

export interface QuestionsRecord {
  lesson_id: string
  questions: QuestionView[]
  mine: MyQuestions
  unread: string[]
  read: number
}

export interface QuestionView {
  id: string
  at_ms: number
  text: string
  anonymous: boolean
  author_id: string | null
  author: string | null
  votes: number
  state: 'open' | 'answering' | 'answered' | 'merged' | 'withdrawn'
  hidden: boolean
  into: string | null
  live_ms: number | null
  until_ms: number | null
  answers: AnswerView[]
}

export interface AnswerView {
  text: string
  by: string
  at_ms: number
  late: boolean
}

export interface MyQuestions {
  asked: string[]
  voted: string[]
}

export interface AnswersReadRequest {
  lesson_id: string
  read: number
}

export interface NewAnswers {
  lessons: LateAnswers[]
}

export interface LateAnswers {
  lesson_id: string
  title: string
  count: number
}

export interface CheckAnswer {
  common: MediaAccess
  send: MediaAccess | null
  back: MediaAccess | null
}

export interface MediaAccess {
  room: string
  token: string
  whip: string | null
  whep: string
  ice: IceServerAccess[]
}

export interface IceServerAccess {
  urls: string[]
  username: string
  credential: string
}

export interface ReplayActsRequest {
  lesson_id: string
  after: number
  most: number
}

export interface ReplayActs {
  lesson_id: string
  moments: ReplayMoment[]
  more: boolean
}

export interface ReplayMoment {
  at: string
  seq: number
  changes: Changes
}

export interface Changes {
  order: OrderView[]
  polls: PollView[]
  sign_ins: SignInView[]
  questions: QuestionView[]
  chat: ChatView[]
  board: (BoardShown | BoardPage | BoardStroke)[]
  stage: StageView[]
  spoke: Spoke[]
}

export interface OrderView {
  id: string
  name: string
  switches: Switches
  silence: boolean
  lobby: boolean
  removed: boolean
  waiting: boolean
}

export interface Switches {
  text: boolean | null
  voice: boolean | null
  video: boolean | null
  screen: boolean | null
  drawing: boolean | null
  files: boolean | null
}

export interface PollView {
  id: string
  poll_id: string
  face: PollFace | null
  tally: PollTally | null
}

export interface SignInView {
  id: string
  open: boolean
  opened_ms: number
  closes_ms: number
  closed_ms: number | null
  here: number | null
}

export interface ChatView {
  id: string
  at_ms: number
  author_id: string
  author: string
  teaches: boolean
  text: string
  mentions: string[]
  file: ChatFile | null
  hidden: boolean
  pinned: string | null
  slow_s: number
}

export interface ChatFile {
  id: string
  name: string
  size: number
  kind: string
}

export interface BoardShown {
  id: string
  what: 'shown'
  deck: string
  page: number
}

export interface BoardPage {
  id: string
  what: 'page'
  deck: string
  page: number
  cleared: number
}

export interface BoardStroke {
  id: string
  what: 'stroke'
  seq: number
  deck: string
  page: number
  by: string
  shape: 'pen' | 'highlighter' | 'line' | 'rectangle' | 'ellipse' | 'arrow' | 'text'
  colour: 'ink' | 'red' | 'amber' | 'green' | 'blue' | 'violet'
  width: number
  points: number[]
  text: string
  gone: boolean
}

export interface StageView {
  id: string
  name: string
  hand: number | null
  turns: number
  where: '' | 'invited' | 'on'
  number: number
  at: string | null
  voice: boolean
  picture: boolean
  own_voice: boolean
  own_picture: boolean
  may_voice: boolean
  may_picture: boolean
  silenced: boolean
  why: 'declined' | 'lapsed' | 'left' | 'taken_down' | 'lost' | 'removed' | 'over' | null
}

export interface Spoke {
  id: string
}

export interface FileGiven {
  lesson_id: string
  use: Use
  name: string
}

export type Use = 'slides' | 'chat'

export interface FileView {
  file_id: string
  name: string
  kind: FileKind
  size: number
  use: Use
  by_id: string
  at: string
}

export type FileKind = 'pdf' | 'pptx' | 'docx' | 'xlsx' | 'png' | 'jpg' | 'webp' | 'txt'

export interface FileRequest {
  lesson_id: string
  file_id: string
}

export interface SlidesRequest {
  lesson_id: string
}

export interface Decks {
  decks: Deck[]
  office: boolean
}

export interface Deck {
  file_id: string
  name: string
  sizes: [number, number][]
  made: number
  converting: boolean
  trouble: string | null
}

export interface PageRequest {
  lesson_id: string
  file_id: string
  page: number
}

export interface PageText {
  text: string
}

export interface PagePictureRequest {
  lesson_id: string
  file_id: string
  page: number
  width: '960' | '1920'
}

export interface ReplayRequest {
  lesson_id: string
}

export interface ReplayView {
  lesson_id: string
  title: string
  over: boolean
  started: string | null
  ended: string | null
  begins: string | null
  seconds: number
  screen: boolean
  guests: number[]
  encoding: ReplayEncoding | null
  holes: ReplayHole[]
}

export interface ReplayEncoding {
  percent: number
  why: string | null
}

export interface ReplayHole {
  begins: string
  ends: string
  why: string
}

export interface PlaylistRequest {
  lesson_id: string
  rendition: 'picture' | 'picture_aac' | 'screen'
}

export interface PieceRequest {
  lesson_id: string
  rendition: 'picture' | 'picture_aac' | 'screen'
  take: number
  start: number
  size: number
}

export interface GuestPlaylistRequest {
  lesson_id: string
  guest: number
  rendition: 'picture' | 'picture_aac'
}

export interface GuestPieceRequest {
  lesson_id: string
  guest: number
  rendition: 'picture' | 'picture_aac'
  take: number
  start: number
  size: number
}

export interface RosterFile {
  class_id: string
  filename: string
  content: Blob
}

export interface RosterImport {
  accepted: number
  already: number
  rejected: Rejected[]
}

export interface Rejected {
  row: number
  column: string
  code: Fault
  value: string
}

export type Fault = 'name_missing' | 'name_malformed' | 'name_differs' | 'id_number_missing' | 'id_number_malformed' | 'id_number_as_number' | 'id_number_twice' | 'phone_malformed' | 'other_class' | 'other_role'

export interface SlipsRequest {
  class_id: string
  person_ids: string[] | null
}

export interface Slips {
  class_name: string
  class_code: string
  class_token: string
  enter_path: string
  qr_svg: string
  expires_at: string
  slips: Slip[]
}

export interface Slip {
  seat: number
  name: string
  login: string
  code: string
}

export interface LedgerRequest {
  class_id: string
  language: Language
}

export type Language = 'zh-CN' | 'en'

export interface Receipt {
  note: string
  qr_svg: string
  credit_ms: number
  minutes: number
}

export interface AskedRequest {
  lesson_id: string
  form: 'xlsx' | 'csv'
  language: Language
}

export interface TraineeRequest {
  class_id: string
  person_id: string
}

export interface TraineePage {
  class_id: string
  class_name: string
  institution_name: string
  seat: number
  name: string
  hours: Hours
  lessons: TraineeLesson[]
  view_id: string | null
}

export interface TraineeLesson {
  lesson: LessonView
  totals: Totals
  cells: Cell[]
  planned_first_slot: number
  planned_last_slot: number
}

export interface AreaLessons {
  view_id: string
  area: string
  lessons: AreaLesson[]
}

export interface AreaLesson {
  lesson: LessonView
  trainees: number
  present: number
  delivered_ms: number
  credit_ms: number
}

export interface LooksRequest {
  lesson_id: string
}

export interface Looks {
  at: string[]
}

export interface DemoLesson {
  lesson_id: string
  guest: Guest
}

export interface Guest {
  login: string
  password: string
}

export interface BeatRequest {
  lesson_id: string
  epoch: number
  seq: number
  nonce: string
  mono: number
  spans: [number, number][]
  signature: string | null
  attention: Attention | null
}

export interface Attention {
  focused: [number, number][]
  active: [number, number][]
}

export interface BeatAnswer {
  seq: number
  nonce: string
  mono: number
  note: string | null
  cells: Cell[]
  credit_ms: number
}

export interface LeaveRequest {
  lesson_id: string
  epoch: number
}

export interface ChallengeAnswer {
  lesson_id: string
  epoch: number
  number: number
  answer: string
}

export interface ChallengeState {
  lesson_id: string
  state: 'clear' | 'asked' | 'blocked'
  number: number
  prompt: Prompt | null
  left_ms: number
  reason: string | null
}

export interface Prompt {
  text: string
  choices: string[]
  kind: 'text' | 'code' | 'sum'
}

export interface VerifyRequest {
  lesson_id: string
  epoch: number
}

export interface JoinRequest {
  lesson_id: string
  device: 'phone' | 'tablet' | 'desktop'
  page: string
  resume: string | null
  password: string | null
  mono: number | null
  key: string | null
  nonce: string | null
  proof: string | null
}

export interface Joined {
  lesson: LessonView
  phase: Phase
  media: MediaAccess
  lease: Lease | null
  cells: Cell[]
  totals: Totals | null
  roster: RosterRow[]
  view_id: string | null
}

export interface Phase {
  lesson_id: string
  state: LessonState
  since: string
  seq: number
  publisher_live: boolean
  instructor_present: boolean
}

export interface Lease {
  epoch: number
  resume: string
  seq: number
  nonce: string
  attention: AttentionRule | null
}

export interface AttentionRule {
  focus: boolean
  idle_ms: number | null
}

export interface RosterRow {
  person_id: string
  seat: number
  name: string
  present: boolean
  visible: boolean
  came: boolean
  why: string | null
  credit_ms: number
}

export interface LessonCommand {
  lesson_id: string
}

export interface MediaAnswer {
  media: MediaAccess
}

export interface PhaseAnswer {
  phase: Phase
}

export interface SinceRequest {
  lesson_id: string
  seq: number
}

export interface Acts {
  lesson_id: string
  seq: number
  whole: boolean
  changes: Changes
  mine: Mine
  now_ms: number
}

export interface Mine {
  order: OrderView | null
  polls: OwnAnswer[]
  sign_ins: string[]
  questions: MyQuestions | null
  board: null
  stage: StageView | null
}

export interface OwnAnswer {
  poll_id: string
  choices: number[]
  text: string
}

export interface OrderSwitch {
  lesson_id: string
  what: 'text' | 'voice' | 'video' | 'screen' | 'drawing' | 'files'
  on: boolean | null
  person_id: string | null
}

export interface Done {
  seq: number
  mine: Mine
}

export interface OrderSilence {
  lesson_id: string
  on: boolean
}

export interface OrderRemove {
  lesson_id: string
  person_id: string
}

export interface OrderReadmit {
  lesson_id: string
  person_id: string
}

export interface OrderLobby {
  lesson_id: string
  on: boolean
}

export interface OrderAdmit {
  lesson_id: string
  person_id: string | null
}

export interface StageRaise {
  lesson_id: string
}

export interface StageLower {
  lesson_id: string
  person_id: string | null
}

export interface StageInvite {
  lesson_id: string
  person_id: string
}

export interface StageAccept {
  lesson_id: string
  number: number
  picture: boolean
}

export interface StageLeave {
  lesson_id: string
  number: number
}

export interface StageSwitch {
  lesson_id: string
  voice: boolean
  picture: boolean
}

export interface StageTakeDown {
  lesson_id: string
  person_id: string
}

export interface StageSilence {
  lesson_id: string
  person_id: string
  on: boolean
}

export interface QuestionAsk {
  lesson_id: string
  text: string
  anonymous: boolean
}

export interface QuestionVote {
  lesson_id: string
  question: string
  on: boolean
}

export interface QuestionWithdraw {
  lesson_id: string
  question: string
}

export interface QuestionAnswer {
  lesson_id: string
  question: string
  text: string
}

export interface QuestionAnswering {
  lesson_id: string
  question: string
  on: boolean
}

export interface QuestionDone {
  lesson_id: string
  question: string
}

export interface QuestionMerge {
  lesson_id: string
  question: string
  into: string
}

export interface QuestionHide {
  lesson_id: string
  question: string
  on: boolean
}

export interface ChatSay {
  lesson_id: string
  text: string
  mentions: string[]
  file: string | null
}

export interface ChatHide {
  lesson_id: string
  line: string
  on: boolean
}

export interface ChatPin {
  lesson_id: string
  line: string | null
}

export interface ChatSlow {
  lesson_id: string
  seconds: number
}

export interface PollPrepare {
  lesson_id: string
  question: PollQuestion
  poll_id: string | null
  open: boolean
}

export interface PollQuestion {
  kind: 'single' | 'multiple' | 'judgement' | 'text'
  text: string
  choices: string[]
  least: number
  most: number
  right: number[]
  seconds: number | null
  anonymous: boolean
  changeable: boolean
}

export interface PollOpen {
  lesson_id: string
  poll_id: string
}

export interface PollGive {
  lesson_id: string
  poll_id: string
  choices: number[]
  text: string
}

export interface PollClose {
  lesson_id: string
  poll_id: string
}

export interface PollShow {
  lesson_id: string
  poll_id: string
}

export interface PollWithdraw {
  lesson_id: string
  poll_id: string
}

export interface SignInOpen {
  lesson_id: string
  seconds: number
}

export interface SignInHere {
  lesson_id: string
  sign_in_id: string
}

export interface SignInClose {
  lesson_id: string
  sign_in_id: string
}

export interface BoardShow {
  lesson_id: string
  deck: string
  page: number
}

export interface BoardDraw {
  lesson_id: string
  deck: string
  page: number
  shape: 'pen' | 'highlighter' | 'line' | 'rectangle' | 'ellipse' | 'arrow' | 'text'
  colour: 'ink' | 'red' | 'amber' | 'green' | 'blue' | 'violet'
  width: number
  points: number[]
  text: string
}

export interface BoardUndo {
  lesson_id: string
}

export interface BoardRedo {
  lesson_id: string
}

export interface BoardClear {
  lesson_id: string
}

export interface StageMediaRequest {
  lesson_id: string
  number: number
}

export interface StripsRequest {
  lesson_id: string
  person_ids: string[]
  since_slot: number
}

export interface LiveStrips {
  lesson_id: string
  first_slot: number | null
  last_slot: number
  rows: LiveStrip[]
}

export interface LiveStrip {
  person_id: string
  cells: Cell[]
}

export interface OlderRequest {
  lesson_id: string
  before: string
}

export interface OlderLines {
  lines: ChatView[]
  more: boolean
}

export interface BoardMove {
  lesson_id: string
  deck: string
  page: number
  tool: 'pen' | 'highlighter' | 'line' | 'rectangle' | 'ellipse' | 'arrow' | 'text' | 'pointer'
  colour: 'ink' | 'red' | 'amber' | 'green' | 'blue' | 'violet'
  width: number
  points: number[]
  begins: boolean
}

export interface BoardMoved {
  told: boolean
}

export interface StreamAnswer {
  stream: StreamState
}

export interface StreamState {
  lesson_id: string
  made_at: string | null
  trouble: 'publisher_taken' | 'bad_offer' | 'no_common_codec' | 'room_full' | 'b_frames' | 'picture_too_large' | null
}

export interface StreamKeyMade {
  key: string
  whip: string
  stream: StreamState
}

export interface Network {
  lesson_id: string
  rows: NetworkRow[]
}

export interface NetworkRow {
  person_id: string
  state: 'good' | 'weak' | 'none'
  direct: boolean
  kbps: number
  loss_percent: number | null
  jitter_ms: number | null
  round_trip_ms: number | null
}

export interface LeaseLost {
  lesson_id: string
  reason: string
  device: string
  at: string
}

export interface Audience {
  lesson_id: string
  peers: number
  small: number
  parts: number
  voices: number
  used_kbps: number
  limit_kbps: number | null
  spent: string | null
}

export interface DoorOpened {
  lesson_id: string
}

export interface News {
  lesson_id: string
  after: number
  seq: number
  changes: Changes
  now_ms: number
}

export interface Own {
  lesson_id: string
  mine: Mine
}

export interface Roster {
  lesson_id: string
  rows: RosterRow[]
}

export interface BoardMoving {
  lesson_id: string
  by: string
  deck: string
  page: number
  tool: 'pen' | 'highlighter' | 'line' | 'rectangle' | 'ellipse' | 'arrow' | 'text' | 'pointer'
  colour: 'ink' | 'red' | 'amber' | 'green' | 'blue' | 'violet'
  width: number
  points: number[]
  begins: boolean
}

export type Code = 'account_guarded' | 'answer_too_late' | 'appeal_answered' | 'appeal_limit' | 'appeal_open' | 'appeal_too_late' | 'appeals_open' | 'area_malformed' | 'bad_request' | 'beat_refused' | 'board_full' | 'challenge_over' | 'challenge_too_fast' | 'challenge_too_soon' | 'challenges_unavailable' | 'check_busy' | 'class_code_malformed' | 'class_code_taken' | 'clock_wrong' | 'closing' | 'correction_decided' | 'correction_empty' | 'correction_not_approved' | 'correction_stale' | 'dates_reversed' | 'demo_running' | 'disk_full' | 'file_damaged' | 'file_empty' | 'file_kind_refused' | 'file_lost' | 'file_too_large' | 'files_full' | 'forbidden' | 'hours_out_of_range' | 'in_lobby' | 'institution_needed' | 'institution_unknown' | 'instructor_unknown' | 'internal_error' | 'invitation_expired' | 'invitation_unknown' | 'invitation_used' | 'lease_held' | 'lease_lost' | 'lesson_already_live' | 'lesson_ended' | 'lesson_not_live' | 'lesson_not_sealed' | 'lesson_number_taken' | 'lesson_over' | 'lesson_times_reversed' | 'lesson_too_early' | 'lesson_too_long' | 'line_hidden' | 'login_malformed' | 'login_refused' | 'login_taken' | 'media_unavailable' | 'minute_not_sealed' | 'name_missing' | 'name_taken' | 'not_found' | 'not_invited' | 'not_joined' | 'not_on_stage' | 'not_signed_in' | 'notable_changed' | 'objection_too_late' | 'origin_refused' | 'own_account' | 'owner_changing' | 'page_key_wrong' | 'password_weak' | 'password_wrong' | 'poll_answered' | 'poll_changed' | 'poll_open' | 'poll_over' | 'polls_limit' | 'proof_needed' | 'question_closed' | 'question_own' | 'questions_open' | 'removed_from_lesson' | 'role_refused' | 'roster_columns_missing' | 'roster_empty' | 'roster_too_long' | 'roster_unreadable' | 'scheme_unknown' | 'second_person_needed' | 'settlement_empty' | 'sign_in_open' | 'sign_in_over' | 'sign_ins_limit' | 'silenced' | 'slides_need_pdf' | 'slow_down' | 'stage_full' | 'start_failed' | 'store_refused' | 'store_unavailable' | 'switched_off' | 'take_over_limit' | 'text_missing' | 'too_large' | 'too_many_tries' | 'unsupported_file' | 'waiting'

export interface Routes {
  'GET /api/v1/answers': { request: Nothing; response: NewAnswers }
  'GET /api/v1/challenges/notable': { request: Nothing; response: NotableList }
  'GET /api/v1/classes': { request: Nothing; response: Classes }
  'GET /api/v1/classes/{class_id}': { request: OneClass; response: ClassDetail }
  'GET /api/v1/classes/{class_id}/hours': { request: ClassRequest; response: ClassHoursAnswer }
  'GET /api/v1/classes/{class_id}/ledger.csv': { request: LedgerRequest; response: Blob }
  'GET /api/v1/classes/{class_id}/ledger.xlsx': { request: LedgerRequest; response: Blob }
  'GET /api/v1/classes/{class_id}/ledger.zip': { request: LedgerRequest; response: Blob }
  'GET /api/v1/classes/{class_id}/roster': { request: OneClass; response: Trainees }
  'GET /api/v1/classes/{class_id}/settlements': { request: SettledClass; response: SettlementsOfClass }
  'GET /api/v1/classes/{class_id}/trainees/{person_id}': { request: TraineeRequest; response: TraineePage }
  'GET /api/v1/corrections': { request: Nothing; response: CorrectionQueue }
  'GET /api/v1/institutions': { request: Nothing; response: Institutions }
  'GET /api/v1/lessons': { request: Nothing; response: Lessons }
  'GET /api/v1/lessons/{lesson_id}': { request: OneLesson; response: LessonView }
  'GET /api/v1/lessons/{lesson_id}/acts': { request: ReplayActsRequest; response: ReplayActs }
  'GET /api/v1/lessons/{lesson_id}/appeals': { request: LessonAppeals; response: Appeals }
  'GET /api/v1/lessons/{lesson_id}/evidence.json': { request: LessonRequest; response: Blob }
  'GET /api/v1/lessons/{lesson_id}/files/{file_id}': { request: FileRequest; response: Blob }
  'GET /api/v1/lessons/{lesson_id}/looks': { request: LooksRequest; response: Looks }
  'GET /api/v1/lessons/{lesson_id}/polls': { request: LessonRequest; response: KeptPolls }
  'GET /api/v1/lessons/{lesson_id}/polls.{form}': { request: AskedRequest; response: Blob }
  'GET /api/v1/lessons/{lesson_id}/questions': { request: QuestionsRequest; response: QuestionsRecord }
  'GET /api/v1/lessons/{lesson_id}/receipt': { request: LessonRequest; response: Receipt }
  'GET /api/v1/lessons/{lesson_id}/replay': { request: ReplayRequest; response: ReplayView }
  'GET /api/v1/lessons/{lesson_id}/replay/guests/{guest}/{rendition}.m3u8': { request: GuestPlaylistRequest; response: Blob }
  'GET /api/v1/lessons/{lesson_id}/replay/guests/{guest}/{rendition}/{take}/{start}/{size}.mp4': { request: GuestPieceRequest; response: Blob }
  'GET /api/v1/lessons/{lesson_id}/replay/{rendition}.m3u8': { request: PlaylistRequest; response: Blob }
  'GET /api/v1/lessons/{lesson_id}/replay/{rendition}/{take}/{start}/{size}.mp4': { request: PieceRequest; response: Blob }
  'GET /api/v1/lessons/{lesson_id}/slides': { request: SlidesRequest; response: Decks }
  'GET /api/v1/lessons/{lesson_id}/slides/{file_id}': { request: FileRequest; response: Deck }
  'GET /api/v1/lessons/{lesson_id}/slides/{file_id}/{page}': { request: PageRequest; response: PageText }
  'GET /api/v1/lessons/{lesson_id}/slides/{file_id}/{page}/{width}.webp': { request: PagePictureRequest; response: Blob }
  'GET /api/v1/lessons/{lesson_id}/strips': { request: LessonRequest; response: Strips }
  'GET /api/v1/me': { request: Nothing; response: Who }
  'GET /api/v1/me/logins': { request: Nothing; response: Logins }
  'GET /api/v1/oversight/lessons': { request: Nothing; response: AreaLessons }
  'GET /api/v1/people': { request: PeopleRequest; response: PeopleAnswer }
  'GET /api/v1/roster-template.csv': { request: Nothing; response: Blob }
  'GET /api/v1/roster-template.xlsx': { request: Nothing; response: Blob }
  'GET /api/v1/schemes': { request: Nothing; response: Schemes }
  'GET /api/v1/site': { request: Nothing; response: Site }
  'GET /api/v1/today': { request: Nothing; response: Today }
  'POST /api/v1/appeals/{appeal_id}/refuse': { request: AppealRefusal; response: Nothing }
  'POST /api/v1/check': { request: Nothing; response: CheckAnswer }
  'POST /api/v1/classes': { request: NewClass; response: ClassView }
  'POST /api/v1/classes/{class_id}/lessons': { request: NewLesson; response: LessonView }
  'POST /api/v1/classes/{class_id}/roster': { request: RosterFile; response: RosterImport }
  'POST /api/v1/classes/{class_id}/settlements': { request: SettleRequest; response: SettlementRef }
  'POST /api/v1/classes/{class_id}/slips': { request: SlipsRequest; response: Slips }
  'POST /api/v1/corrections/{correction_id}/decide': { request: CorrectionDecision; response: Nothing }
  'POST /api/v1/corrections/{correction_id}/object': { request: CorrectionReason; response: Nothing }
  'POST /api/v1/corrections/{correction_id}/reverse': { request: CorrectionReason; response: CorrectionRef }
  'POST /api/v1/demo/lesson': { request: Nothing; response: DemoLesson }
  'POST /api/v1/demo/tamper.zip': { request: LedgerRequest; response: Blob }
  'POST /api/v1/institutions': { request: NewInstitution; response: InstitutionRef }
  'POST /api/v1/invitations/open': { request: OpenRequest; response: Opened }
  'POST /api/v1/invitations/redeem': { request: RedeemRequest; response: Me }
  'POST /api/v1/lessons/{lesson_id}/answers/read': { request: AnswersReadRequest; response: Nothing }
  'POST /api/v1/lessons/{lesson_id}/appeals': { request: NewAppeal; response: AppealView }
  'POST /api/v1/lessons/{lesson_id}/corrections': { request: NewCorrection; response: CorrectionRef }
  'POST /api/v1/lessons/{lesson_id}/files': { request: FileGiven; response: FileView }
  'POST /api/v1/lessons/{lesson_id}/notable': { request: NewLook; response: Nothing }
  'POST /api/v1/login': { request: LoginRequest; response: Me }
  'POST /api/v1/logout': { request: Nothing; response: Nothing }
  'POST /api/v1/logout/others': { request: Nothing; response: Nothing }
  'POST /api/v1/me/password': { request: PasswordRequest; response: Nothing }
  'POST /api/v1/people': { request: NewPersonRequest; response: NewPersonAnswer }
  'POST /api/v1/people/{person_id}/deactivate': { request: PersonRequest; response: Nothing }
  'POST /api/v1/people/{person_id}/place': { request: PlaceRequest; response: Nothing }
  'POST /api/v1/people/{person_id}/reactivate': { request: PersonRequest; response: Nothing }
  'POST /api/v1/people/{person_id}/reset': { request: PersonRequest; response: ResetAnswer }
}

export interface Commands {
  'beat': { request: BeatRequest; response: BeatAnswer }
  'board:clear': { request: BoardClear; response: Done }
  'board:draw': { request: BoardDraw; response: Done }
  'board:move': { request: BoardMove; response: BoardMoved }
  'board:redo': { request: BoardRedo; response: Done }
  'board:show': { request: BoardShow; response: Done }
  'board:undo': { request: BoardUndo; response: Done }
  'challenge:answer': { request: ChallengeAnswer; response: ChallengeState }
  'challenge:verify': { request: VerifyRequest; response: ChallengeState }
  'chat:hide': { request: ChatHide; response: Done }
  'chat:older': { request: OlderRequest; response: OlderLines }
  'chat:pin': { request: ChatPin; response: Done }
  'chat:say': { request: ChatSay; response: Done }
  'chat:slow': { request: ChatSlow; response: Done }
  'lesson:break': { request: LessonCommand; response: PhaseAnswer }
  'lesson:end': { request: LessonCommand; response: PhaseAnswer }
  'lesson:join': { request: JoinRequest; response: Joined }
  'lesson:leave': { request: LeaveRequest; response: Nothing }
  'lesson:media': { request: LessonCommand; response: MediaAnswer }
  'lesson:network': { request: LessonCommand; response: Network }
  'lesson:pause': { request: LessonCommand; response: PhaseAnswer }
  'lesson:resume': { request: LessonCommand; response: PhaseAnswer }
  'lesson:since': { request: SinceRequest; response: Acts }
  'lesson:start': { request: LessonCommand; response: PhaseAnswer }
  'lesson:stream_key': { request: LessonCommand; response: StreamKeyMade }
  'lesson:stream_look': { request: LessonCommand; response: StreamAnswer }
  'lesson:stream_revoke': { request: LessonCommand; response: StreamAnswer }
  'lesson:strips': { request: StripsRequest; response: LiveStrips }
  'order:admit': { request: OrderAdmit; response: Done }
  'order:lobby': { request: OrderLobby; response: Done }
  'order:readmit': { request: OrderReadmit; response: Done }
  'order:remove': { request: OrderRemove; response: Done }
  'order:silence': { request: OrderSilence; response: Done }
  'order:switch': { request: OrderSwitch; response: Done }
  'poll:answer': { request: PollGive; response: Done }
  'poll:close': { request: PollClose; response: Done }
  'poll:open': { request: PollOpen; response: Done }
  'poll:prepare': { request: PollPrepare; response: Done }
  'poll:show': { request: PollShow; response: Done }
  'poll:withdraw': { request: PollWithdraw; response: Done }
  'question:answer': { request: QuestionAnswer; response: Done }
  'question:answering': { request: QuestionAnswering; response: Done }
  'question:ask': { request: QuestionAsk; response: Done }
  'question:done': { request: QuestionDone; response: Done }
  'question:hide': { request: QuestionHide; response: Done }
  'question:merge': { request: QuestionMerge; response: Done }
  'question:vote': { request: QuestionVote; response: Done }
  'question:withdraw': { request: QuestionWithdraw; response: Done }
  'sign_in:close': { request: SignInClose; response: Done }
  'sign_in:here': { request: SignInHere; response: Done }
  'sign_in:open': { request: SignInOpen; response: Done }
  'stage:accept': { request: StageAccept; response: Done }
  'stage:invite': { request: StageInvite; response: Done }
  'stage:leave': { request: StageLeave; response: Done }
  'stage:lower': { request: StageLower; response: Done }
  'stage:media': { request: StageMediaRequest; response: MediaAnswer }
  'stage:raise': { request: StageRaise; response: Done }
  'stage:silence': { request: StageSilence; response: Done }
  'stage:switch': { request: StageSwitch; response: Done }
  'stage:take_down': { request: StageTakeDown; response: Done }
}

export interface Pushes {
  'board:moving': BoardMoving
  'challenge:state': ChallengeState
  'lease:lost': LeaseLost
  'lease:probe': Nothing
  'lesson:acts': News
  'lesson:audience': Audience
  'lesson:door': DoorOpened
  'lesson:missed': Nothing
  'lesson:own': Own
  'lesson:phase': Phase
  'lesson:roster': Roster
  'lesson:stream': StreamState
}
