// What the console says. Names of columns are those of the database's views; what they hold is shown as it is.

import { speaker } from './language.js';

const en = {
  title: 'Console', leave: 'Leave', 'sign-in': 'Sign in', token: 'Token',
  'sign-in-lead': 'Type the token that your operator gave you. It stays in this page’s memory and is gone when you leave.',
  'sign-in-wrong': 'This token is not known.', 'sign-in-nothing': 'You are known, but nothing here is yours to see.',
  none: 'none', any: 'any', look: 'Look', older: 'Older', caller: 'Signed in as {name}',
  sessions: 'Sessions', history: 'History', reports: 'Reports', policy: 'Policy', quality: 'Quality check',
  state: 'State', channel: 'Channel', subject: 'Subject', since: 'From', until: 'Before', decision: 'Decision', reason: 'Reason',
  operation: 'Operation', event: 'Event', transaction: 'Transaction', biz_id: 'Caller’s id', session: 'Session', at: 'Time',
  scenario: 'Scenario', purpose: 'Flow', opened_channel: 'Opened on', factors: 'Factors', presented: 'Shown', opened_at: 'Opened',
  expires_at: 'Expires', institution: 'Institution', subject_surrogate: 'Surrogate', target_fmr: 'Target FMR', model: 'Model',
  policy_version: 'Policy version', source: 'Source', transaction_id: 'Transaction', elapsed_ms: 'ms', settled: 'Settled',
  object: 'Object', note: 'Note', day: 'Day', attempts: 'Attempts', accepts: 'Accepted', rejects: 'Rejected', refusals: 'Refused',
  accept_rate: 'Accept rate', accept_low: 'from', accept_high: 'to', subjects: 'Subjects',
  share: 'Share', name: 'Name', version: 'Version', daily: 'By day', 'by-channel': 'By channel', 'by-reason': 'By reason', latency: 'Latency', 'most-failures': 'Most failures',
  failures: 'Failures', last_failure: 'Last failure', calls: 'Calls', p50_ms: '50 %, ms', p90_ms: '90 %, ms', p99_ms: '99 %, ms', max_ms: 'Longest, ms',
  'save-report': 'Save the report as a page', picture: 'Picture', profile: 'Profile', forget: 'Forget the picture',
  'quality-lead': 'What the quality measures say about a picture. Nothing is stored: not here, and not by the service.',
  drawing: 'The picture with the face’s region, its points and the axes of the head', measure: 'Measure', native: 'Value',
  unit: 'Unit', scalar: '0 to 100', limits: 'Limit', status: 'Verdict', clause: 'Clause', advice: 'Advice', verdict: 'Verdict: {status}',
  'choose-first': 'Choose a picture first.', trouble: 'That did not work: {detail}',
};

const zh = {
  title: '控制台', leave: '退出', 'sign-in': '登录', token: '令牌',
  'sign-in-lead': '请输入运维人员提供的令牌。令牌仅保存在本页内存中，离开后即清除。',
  'sign-in-wrong': '令牌无效。', 'sign-in-nothing': '身份已确认，但您没有可查看的内容。',
  none: '无', any: '全部', look: '查询', older: '更早', caller: '当前用户：{name}',
  sessions: '会话', history: '历史记录', reports: '报表', policy: '策略', quality: '质量检测',
  state: '状态', channel: '渠道', subject: '用户', since: '起始', until: '截止（不含）', decision: '判定', reason: '原因',
  operation: '操作', event: '事件', transaction: '交易号', biz_id: '业务编号', session: '会话', at: '时间',
  scenario: '场景', purpose: '流程', opened_channel: '发起渠道', factors: '所需要素', presented: '已出示', opened_at: '发起时间',
  expires_at: '失效时间', institution: '机构', subject_surrogate: '代号', target_fmr: '目标误识率', model: '模型',
  policy_version: '策略版本', source: '采集源', transaction_id: '交易号', elapsed_ms: '毫秒', settled: '事务结果',
  object: '对象', note: '备注', day: '日期', attempts: '次数', accepts: '通过', rejects: '不匹配', refusals: '拒绝',
  accept_rate: '通过率', accept_low: '下限', accept_high: '上限', subjects: '用户数',
  share: '占比', name: '名称', version: '版本', daily: '按日', 'by-channel': '按渠道', 'by-reason': '按原因', latency: '耗时', 'most-failures': '失败最多',
  failures: '失败', last_failure: '最近失败', calls: '调用', p50_ms: '50 %，毫秒', p90_ms: '90 %，毫秒', p99_ms: '99 %，毫秒', max_ms: '最长，毫秒',
  'save-report': '将报表保存为网页', picture: '图片', profile: '规格', forget: '清除图片',
  'quality-lead': '查看图片的各项质量指标。图片不会被保存：本页和服务端均不保存。',
  drawing: '图片及人脸区域、特征点和头部坐标轴', measure: '指标', native: '数值', unit: '单位', scalar: '0 至 100',
  limits: '限值', status: '结论', clause: '条款', advice: '建议', verdict: '结论：{status}',
  'choose-first': '请先选择图片。', trouble: '操作失败：{detail}',
};

export const { choose: chooseLanguage, language, word } = speaker({ en, 'zh-CN': zh });
