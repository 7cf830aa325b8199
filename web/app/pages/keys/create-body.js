/** Pure: the call that creates a key, from what was typed. */

export const KINDS = {
  native: { title: 'Create a key', sub: 'AWS makes the material, and keeps it.', finish: 'Create the key', path: '/cckm/aws/keys' },
  upload: { title: 'Upload a key', sub: 'Material that was made here becomes a key in AWS. It leaves wrapped, and never in the clear.', finish: 'Upload the key', path: '/cckm/aws/upload-key' },
  hyok: { title: 'Hold a key here', sub: 'The material stays here. AWS asks for each encryption and decryption.', finish: 'Create the HYOK key', path: '/cckm/aws/create-hyok-key' },
};

export const START = { kms: '', region: '', usage: 'ENCRYPT_DECRYPT', spec: 'SYMMETRIC_DEFAULT', alias: '', description: '', tags: '', multiRegion: false, source: '', sourceId: '', expires: 'never', validTo: '', schedule: '', store: '', policyKind: 'aws', template: '', policy: '' };

/** "a=b, c=d" as AWS's tags. @param {string} text */
export const tagsOf = (text) => text.split(',').map((one) => one.trim()).filter((one) => one !== '').map((one) => {
  const [key, ...value] = one.split('=');
  return { TagKey: key.trim(), TagValue: value.join('=').trim() };
});

/** @param {'native' | 'upload' | 'hyok'} kind @param {any} values */
export function bodyOf(kind, values) {
  const aws = {
    ...(values.alias && { Alias: values.alias.replace(/^alias\//, '') }),
    ...(values.description && { Description: values.description }),
    ...(values.tags && { Tags: tagsOf(values.tags) }),
    ...(kind === 'native' && { KeyUsage: values.usage, KeySpec: values.spec }),
    ...(values.multiRegion && kind !== 'hyok' && { MultiRegion: true }),
    ...(values.policyKind === 'json' && values.policy && { Policy: values.policy }),
    ...(kind === 'upload' && values.expires === 'day' && values.validTo && { ValidTo: `${values.validTo}T23:59:00Z` }),
  };
  return {
    ...(kind === 'hyok' ? { local_hosted_params: { custom_key_store_id: values.store, ...(values.sourceId && { source_key_id: values.sourceId }), linked_state: true } } : { kms: values.kms, region: values.region }),
    ...(kind === 'upload' && values.source && { source_key_identifier: values.source }),
    ...(kind === 'upload' && values.expires === 'day' && { key_expiration: true }),
    ...(values.policyKind === 'template' && values.template && { policytemplate: values.template }),
    aws_param: aws,
  };
}

/** The call as the API menu shows it. @param {'native' | 'upload' | 'hyok'} kind @param {any} values */
export const callOf = (kind, values) => ({ method: 'POST', path: KINDS[kind].path, query: {}, body: bodyOf(kind, values) });
