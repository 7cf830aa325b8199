/** Pure functions about schedules: what their form shows, and the bodies of the calls that make and change them. */

/** The minutes that a watch reads again, unless something else is said. */
export const OVERLAP_MINUTES = 60;

/** What the form of a schedule shows: those of the schedule, or of a new one. @param {any} [present] @returns {Record<string, any>} */
export function scheduleValues(present) {
  const params = present?.job_config_params ?? {};
  const isBackup = present?.operation === 'database_backup';
  return {
    name: present?.name ?? '', operation: present?.operation ?? 'cckm_key_rotation', description: present?.description ?? '', run_at: present?.run_at ?? '0 3 2 */3 *',
    start_date: present?.start_date?.slice(0, 16) ?? '', end_date: present?.end_date?.slice(0, 16) ?? '', disabled: present?.disabled ?? false,
    rotation_after: params.rotation_after ?? '', expire_in: params.expire_in ?? '', expiration: params.expiration ?? '', rotate_material: params.aws_param?.rotate_material ?? true, retain_alias: params.aws_param?.retain_alias ?? false,
    synchronize_all: present ? params.synchronize_all === true : true, kms: [params.kms ?? []].flat(),
    log_group: params.log_group ?? '', log_group_region: params.log_group_region ?? '', overlap_minutes: String(params.overlap_minutes ?? OVERLAP_MINUTES),
    backup_description: isBackup ? params.description ?? '' : '', retentionCount: String(params.retentionCount ?? 0),
  };
}

/** A time of the form is to the minute, in UTC. @param {string} text */
const timeOf = (text) => (text === '' ? '' : `${text}:00Z`);

/** @param {string} text @param {number} otherwise */
const numberOf = (text, otherwise) => (text === '' ? otherwise : Number(text));

/** All that a schedule is; '' is what it has not. @param {Record<string, any>} values @returns {Record<string, any>} */
export function wholeSchedule(values) {
  const params = /** @type {Record<string, any>} */ ({
    cckm_key_rotation: { cloud_name: 'aws', rotation_after: values.rotation_after, expire_in: values.expire_in, expiration: values.expiration, aws_param: { rotate_material: values.rotate_material, retain_alias: values.retain_alias } },
    cckm_synchronization: { cloud_name: 'aws', ...(values.synchronize_all ? { synchronize_all: true } : { kms: [...values.kms].sort() }) },
    cckm_xks_credential_rotation: { cloud_name: 'aws' },
    cckm_drift_watch: { kms: values.kms[0] ?? '', log_group: values.log_group, log_group_region: values.log_group_region, overlap_minutes: numberOf(values.overlap_minutes, OVERLAP_MINUTES) },
    database_backup: { description: values.backup_description, retentionCount: numberOf(values.retentionCount, 0) },
  });
  return {
    name: values.name, operation: values.operation, description: values.description, run_at: values.run_at, start_date: timeOf(values.start_date), end_date: timeOf(values.end_date), disabled: values.disabled,
    [`${values.operation}_params`]: params[values.operation],
  };
}

/** @param {any} value */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The members of `after` that differ from those of `before`, within objects too. @param {Record<string, any>} before @param {Record<string, any>} after @returns {Record<string, any>} */
function differing(before, after) {
  const found = /** @type {Record<string, any>} */ ({});
  for (const [name, value] of Object.entries(after)) {
    const inner = isObject(value) ? differing(before[name] ?? {}, value) : value;
    if (isObject(value) ? Object.keys(inner).length > 0 : JSON.stringify(value) !== JSON.stringify(before[name])) found[name] = inner;
  }
  return found;
}

/** Without what is ''. @param {Record<string, any>} body @returns {Record<string, any>} */
const filled = (body) => Object.fromEntries(Object.entries(body).filter(([, value]) => value !== '').map(([name, value]) => [name, isObject(value) ? filled(value) : value]));

/**
 * The body that makes a schedule, or changes the present one: then it has what differs alone, since what is absent keeps its value and '' clears it.
 * @param {Record<string, any>} values @param {any} [present]
 */
export const scheduleBody = (values, present) => (present ? differing(wholeSchedule(scheduleValues(present)), wholeSchedule(values)) : filled(wholeSchedule(values)));

/**
 * How many keys, or key stores, of a run succeeded and failed. The last run of a schedule has the numbers, a run of its own each result.
 * @param {any} run @returns {{succeeded: number, failed: number}}
 */
export function runCounts(run) {
  if (!run.results) return { succeeded: run.succeeded ?? 0, failed: run.failed ?? 0 };
  const succeeded = run.results.filter((/** @type {any} */ result) => result.status === 'Success').length;
  return { succeeded, failed: run.results.length - succeeded };
}
