/** 投票、小测和签到的文字，有投票或签到时才加载。The words of polls, quick quizzes and sign-in, loaded with the first one. */
export const polls = {
  'error.poll_open': '还有一个投票没有结束。请先结束它，再开始下一个。',
  'error.poll_over': '投票已经结束，这次作答没有计入。',
  'error.poll_answered': '您已经作答，这个投票不能修改。',
  'error.poll_changed': '这个投票的状态已经变了，没有任何改动。',
  'error.polls_limit': '最多 {most} 个，没有再添加。请先用掉或删除几个草稿。',
  'error.sign_in_open': '签到正在进行。请先结束它，再发起下一次。',
  'error.sign_in_over': '签到已经结束，这次没有计入。签到不影响学时。',
  'error.sign_ins_limit': '一课最多签到 {most} 次。',
} as const
