/** Pure functions about keys as the API shows them: name, origin, age. */
import { DAY, parse } from './time.js';

/** @typedef {Record<string, any>} Key a key as the API shows it */

/** The name of a key: its first alias, else its id at AWS. @param {Key} key */
export function keyName(key) {
  const alias = Array.isArray(key.alias) ? key.alias[0] : key.alias;
  const first = alias ?? key.aws_param?.Alias?.[0];
  if (typeof first === 'string' && first !== '') return first.startsWith('alias/') ? first : `alias/${first}`;
  return key.aws_param?.KeyID ?? key.keyid ?? key.id ?? '';
}

/** Native, BYOK, HYOK or CloudHSM. @param {Key} key @returns {'native' | 'byok' | 'hyok' | 'hsm'} */
export function keyOrigin(key) {
  const origin = key.aws_param?.Origin ?? key.origin;
  if (origin === 'EXTERNAL') return 'byok';
  if (origin === 'EXTERNAL_KEY_STORE') return 'hyok';
  if (origin === 'AWS_CLOUDHSM') return 'hsm';
  return 'native';
}

/** The age of the material and its period, in days; null if it is not known. @param {Key} key @param {number} now */
export function keyAge(key, now) {
  const since = parse(key.material_since) ?? parse(key.rotated_at) ?? parse(key.aws_param?.CreationDate) ?? parse(key.createdAt);
  if (since === null) return null;
  const period = key.aws_param?.RotationPeriodInDays ?? key.rotation_period_in_days ?? 365;
  return { days: Math.max(0, (now - since) / DAY), period: Number(period) || 365, since };
}

/** The state of a key: gone, blocked, or what AWS says. @param {Key} key */
export function keyState(key) {
  if (key.gone) return 'Gone';
  if (key.blocked) return 'Blocked';
  return key.aws_param?.KeyState ?? key.keystate ?? 'Unknown';
}

/**
 * What rotates a key; or why nothing does, where that is as it should be. `nothing` is what the rule `no_schedule` of the posture finds.
 * @param {Key} key @returns {'schedule' | 'aws' | 'theirs' | 'ending' | 'replica' | 'replaced' | 'unlinked' | 'nothing'}
 */
export function rotatedBy(key) {
  const { KeyManager: manager, MultiRegionConfiguration: family } = key.aws_param ?? {};
  if (manager === 'AWS') return 'theirs';
  if (key.rotated_by === 'aws' || key.rotated_by === 'schedule') return key.rotated_by;
  if (key.linked_state === false) return 'unlinked';
  if (['PendingDeletion', 'PendingReplicaDeletion', 'Gone'].includes(keyState(key))) return 'ending';
  if (family?.MultiRegionKeyType === 'REPLICA') return 'replica';
  return key.rotated_to ? 'replaced' : 'nothing';
}
