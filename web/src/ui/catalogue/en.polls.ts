/** The words of polls, quick quizzes and sign-in. */
import type { polls as zh } from './zh-CN.polls'

export const polls: Record<keyof typeof zh, string> = {
  'error.poll_open': 'Another poll is still open. Close it first, then begin the next one.',
  'error.poll_over': 'The poll is over; this answer was not counted.',
  'error.poll_answered': 'You have answered; answers to this poll cannot be changed.',
  'error.poll_changed': 'This poll has moved on meanwhile. Nothing was changed.',
  'error.polls_limit': 'At most {most}; nothing was added. Use or remove some drafts first.',
  'error.sign_in_open': 'A sign-in is going on. Close it first, then begin the next one.',
  'error.sign_in_over': 'The sign-in is over; this was not counted. It has no effect on class hours.',
  'error.sign_ins_limit': 'At most {most} sign-ins in one lesson.',
}
