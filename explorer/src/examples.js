// Operations to start from, a tab each.
const example = (query, variables) => ({
  query: query.trim(),
  variables: variables ? JSON.stringify(variables, null, 2) : '',
});

export const EXAMPLES = [
  example(`
# Who is signed in, and what may they do?
query Welcome {
  server { version setupRequired minimumPasswordLength }
  viewer { id handle administrator permissions }
}`),
  example(`
# Uploaded files. Upload some with the button at the top right.
query Files {
  files(first: 25, filter: { type: READS, reserved: false }) {
    totalCount
    nodes { id name size ready uploadedAt downloadUrl }
  }
}`),
  example(
    `
# Make a sample of one file, or of two that are the ends of the same fragments.
mutation CreateSample($input: CreateSampleInput!) {
  createSample(input: $input) {
    sample { id name ready }
    job { id state }
    errors { code message path }
  }
}`,
    { input: { name: 'Raspberry 1', host: 'Rubus idaeus', libraryType: 'NORMAL', fileIds: ['file_…', 'file_…'] } },
  ),
  example(`
# Samples, newest first. Subscribe after the cursor and you miss nothing.
query Samples {
  cursor
  samples(first: 25, orderBy: [{ field: CREATED_AT, direction: DESC }]) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { id name host libraryType paired ready createdAt user { handle } job { id state progress } }
  }
}`),
  example(
    `
query SampleQuality($id: ID!) {
  sample(id: $id) {
    name
    reads { name size downloadUrl }
    quality { count encoding length gc bases composition sequences }
  }
}`,
    { id: 'sample_…' },
  ),
  example(`
# Every change of every sample that you may read, as it happens.
subscription WatchSamples {
  samples { cursor operation ids at sample { name ready job { state } } }
}`),
  example(`
subscription WatchJobs {
  jobs { operation ids job { workflow state stage progress error { message } } }
}`),
  example(
    `
subscription WatchJobLog($id: ID!) {
  jobLog(id: $id) { number at text }
}`,
    { id: 'job_…' },
  ),
  example(`
subscription WatchEverything {
  changes(collections: [SAMPLES, FILES, JOBS]) { __typename cursor operation ids at }
}`),
  example(
    `
# A key for scripts. It is shown once: Authorization: Bearer <key>
mutation CreateApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { id name permissions } key errors { message } }
}`,
    { input: { name: 'Upload script', permissions: ['UPLOAD_FILE', 'CREATE_SAMPLE'] } },
  ),
];
