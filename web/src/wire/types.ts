/** What server and pages say to each other. Later generated from the server's declarations: change nothing here by hand then. */
export type Role = 'trainee' | 'instructor' | 'staff' | 'regulator' | 'administrator'
export interface Site { demo: boolean; operator: string; record_number: string; version: string; now: string }
export interface InstitutionRef { id: string; name: string; area: string }
export interface Me { id: string; role: Role; name: string; login: string; institution: InstitutionRef | null; area: string | null }
export type LessonState = 'planned' | 'starting' | 'start_failed' | 'live' | 'break' | 'ended'
export type SubjectKind = 'theory' | 'practice' | 'general' | 'simulation'
export interface Lesson {
  id: string; class_id: string; class_code: string; class_name: string; institution_name: string; number: number; title: string
  subject_kind: SubjectKind; delivery: 'online'; mode: 'live'
  planned_start: string; planned_end: string; instructor_id: string; instructor_name: string
  state: LessonState; started_at: string | null; ended_at: string | null
}
export type ReasonCode = 'hidden' | 'disconnected' | 'other_device' | 'absent' | 'server_fault' | 'not_open' | 'corrected'
export interface Reason { code: ReasonCode; ms: number }
/** One wall minute of one trainee: open_ms = credit_ms + the sum of the reasons, always. */
export interface Cell { slot: number; open_ms: number; credit_ms: number; reasons: Reason[]; sealed: boolean }
export type RecordState = 'recorded' | 'pending' | 'confirmed' | 'refused'
export interface Totals { open_ms: number; credit_ms: number; pending_ms: number; confirmed_ms: number; reasons: Reason[]; state: RecordState }
export interface StripRow { person_id: string; seat: number; name: string; totals: Totals; cells: Cell[] }
export interface Strips {
  lesson: Lesson; first_slot: number; last_slot: number; planned_first_slot: number; planned_last_slot: number
  rows: StripRow[]; view_id: string | null
}
export interface Hours { class_hours: number; remainder_ms: number; required_hours: number; scheme: string }

export interface Invitation { name: string; login: string; role: Role; class_name: string | null; needs: 'password' }
export interface MyLesson { lesson: Lesson; my: Totals }
export interface Today { now: string; lessons: MyLesson[]; classes: { class_id: string; class_name: string; hours: Hours }[] }
export interface Person { id: string; role: Role; name: string; login: string; institution_name: string | null; area: string | null; active: boolean }
export interface NewPerson { role: Role; name: string; login: string; institution_id: string | null; area: string | null }
export interface Scheme { name: string; version: string; title: string }
export interface TrainingClass {
  id: string; code: string; name: string; institution: InstitutionRef; area: string; occupation: string; level: string
  starts_on: string; ends_on: string; required_hours: number; scheme: Scheme; trainees: number; lessons: number; live: number
}
export type TrainingClassPage = Omit<TrainingClass, 'lessons'> & { lessons: Lesson[] }
export interface NewTrainingClass {
  code: string; name: string; institution_id: string | null; occupation: string; level: string
  starts_on: string; ends_on: string; required_hours: number
}
export interface NewLesson { number: number; title: string; subject_kind: SubjectKind; planned_start: string; planned_end: string; instructor_id: string }
export interface RosterTrainee { person_id: string; seat: number; name: string; id_number_masked: string; login: string; active: boolean; hours: Hours }
export interface RejectedRow { row: number; column: string; code: string; value: string }
export interface ImportResult { accepted: number; already: number; rejected: RejectedRow[] }
export interface Slip { seat: number; name: string; login: string; code: string }
export interface Slips { class_name: string; class_code: string; class_token: string; enter_path: string; qr_svg: string; expires_at: string; slips: Slip[] }
export interface ResetResult { link: string | null; slip: { class_token: string; code: string } | null }
export type OversightLesson = Lesson & { trainees: number; present: number; delivered_ms: number; credit_ms: number }
export interface Oversight { view_id: string; area: string; lessons: OversightLesson[] }
export interface DemoLesson { lesson_id: string; guest: { login: string; password: string } }

export type Device = 'phone' | 'tablet' | 'desktop'
export interface Phase { lesson_id: string; state: LessonState; since: string; seq: number; publisher_live: boolean; instructor_present: boolean }
export interface Lease { epoch: number; resume: string; seq: number; nonce: string }
export interface LessonJoin { lesson_id: string; device: Device; page: string; resume: string | null; password: string | null }
export interface TraineeJoined { lesson: Lesson; phase: Phase; lease: Lease; media: { room: string; token: string; whep: string }; cells: Cell[]; totals: Totals }
export interface RosterRow { person_id: string; seat: number; name: string; present: boolean; visible: boolean; cells: Cell[]; credit_ms: number }
export interface HostJoined { lesson: Lesson; phase: Phase; media: { room: string; token: string; whip?: string; whep: string }; roster: RosterRow[] }
export type Span = [number, number]
export interface Beat { lesson_id: string; epoch: number; seq: number; nonce: string; mono: number; spans: Span[] }
export interface BeatAck { seq: number; nonce: string; cells: Cell[]; credit_ms: number }
export interface RosterChange { lesson_id: string; rows: RosterRow[] }
export interface LeaseLost { lesson_id: string; reason: 'taken_over' | 'signed_out'; device: Device; at: string }
