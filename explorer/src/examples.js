// Operations to start from, a tab each; of several in one tab the button to execute asks which.
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
# Uploaded files.
# Upload some with the button at the top right.
query Files {
  files(first: 25, filter: { type: READS, reserved: false }) {
    totalCount
    nodes { id name size ready uploadedAt expiresAt downloadUrl }
  }
}`),
  example(
    `
# Make a sample of one file, or of two that are
# the ends of the same fragments.
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
# Samples, newest first.
# Subscribe after the cursor and you miss nothing.
query Samples {
  cursor
  samples(
    first: 25
    orderBy: [{ field: CREATED_AT, direction: DESC }]
  ) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id name host libraryType paired ready createdAt
      user { handle }
      labels { name color }
      job { id state progress }
    }
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
  example(
    `
query Labels {
  labels(first: 25) {
    nodes { id name color description sampleCount }
  }
}

mutation CreateLabel($label: CreateLabelInput!) {
  createLabel(input: $label) {
    label { id name color }
    errors { code message path }
  }
}

# Put labels on up to 500 samples at once,
# and take others off.
mutation LabelSamples($change: UpdateSampleLabelsInput!) {
  updateSampleLabels(input: $change) {
    results {
      sampleId
      sample { labels { name } }
      errors { code message }
    }
    errors { code message path }
  }
}

query LabelledSamples($filter: SampleFilter) {
  samples(first: 25, filter: $filter) {
    nodes { id name labels { name } }
  }
}`,
    {
      label: { name: 'Greenhouse', color: '#33AA66', description: 'Taken under glass' },
      change: { sampleIds: ['sample_…'], addLabelIds: ['label_…'], removeLabelIds: [] },
      filter: { withoutLabels: true },
    },
  ),
  example(
    `
# The references that you may read.
query References {
  officialInstalled
  references(first: 25, filter: { archived: false }) {
    nodes {
      id name description dataType organism ready
      otuCount unbuiltChangeCount
      rights { build modify modifyOtu remove }
      latestBuild { version createdAt }
      task { type state progress }
      exportUrl
    }
  }
}

mutation CreateReference($reference: CreateReferenceInput!) {
  createReference(input: $reference) {
    reference { id name version }
    errors { code message path }
  }
}

mutation UpdateReference($change: UpdateReferenceInput!) {
  updateReference(input: $change) {
    reference { sourceTypes restrictSourceTypes version }
    errors { code message path }
  }
}

# Others see it when they are members.
mutation AddReferenceUser($member: AddReferenceUserInput!) {
  addReferenceUser(input: $member) {
    reference { members { user { handle } modifyOtu } }
    errors { code message path }
  }
}

mutation CloneReference($copy: CloneReferenceInput!) {
  cloneReference(input: $copy) {
    reference { id name ready }
    task { id state }
    errors { code message path }
  }
}`,
    {
      reference: { name: 'Greenhouse viruses', dataType: 'GENOME', organism: 'virus' },
      change: { id: 'reference_…', sourceTypes: ['isolate', 'strain'], restrictSourceTypes: true },
      member: { referenceId: 'reference_…', userId: 'user_…', modifyOtu: true },
      copy: { referenceId: 'reference_…', name: 'A copy' },
    },
  ),
  example(
    `
# Upload a reference.json.gz at the top right.
query ReferenceFiles {
  files(filter: { type: REFERENCE, reserved: false }) {
    nodes { id name size ready }
  }
}

mutation ImportReference($input: ImportReferenceInput!) {
  importReference(input: $input) {
    reference { id name ready }
    task { id }
    errors { code message path }
  }
}

# How far imports and all other tasks are.
subscription WatchTasks {
  tasks {
    operation ids
    task {
      type state step progress error
      problems { message otuName }
      reference { name ready }
    }
  }
}

# All that was wrong with a file, or odd.
query ImportTasks {
  tasks(first: 5, filter: { type: IMPORT_REFERENCE }) {
    nodes {
      id state progress error
      problems { message otuId otuName }
      warnings { message otuId otuName }
      reference { id name otuCount exportUrl }
    }
  }
}`,
    { input: { fileId: 'file_…', name: 'Imported viruses' } },
  ),
  example(
    `
# Names and abbreviations that have the words.
query OTUs($reference: ID, $search: String) {
  otus(first: 25, referenceId: $reference, search: $search) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id name abbreviation verified modified version
      reference { name }
    }
  }
}

query OTU($otu: ID!) {
  otu(id: $otu) {
    name abbreviation version lastIndexedVersion
    schema { name molecule required }
    issues {
      emptyOtu isolateInconsistency
      emptyIsolates { name }
      emptySequences { accession }
    }
    isolates {
      id name default
      sequences { id accession definition host segment length }
    }
    mostRecentChange { description createdAt }
    fastaUrl
  }
}`,
    { reference: null, search: 'mosaic', otu: 'otu_…' },
  ),
  example(
    `
mutation CreateOTU($otu: CreateOtuInput!) {
  createOtu(input: $otu) {
    otu { id name version }
    errors { code message path }
  }
}

mutation CreateIsolate($isolate: CreateIsolateInput!) {
  createIsolate(input: $isolate) {
    isolate { id name default }
    otu { version verified }
    errors { code message path }
  }
}

mutation CreateSequence($sequence: CreateSequenceInput!) {
  createSequence(input: $sequence) {
    sequence { id accession length }
    otu { version verified }
    errors { code message path }
  }
}

# It fails when somebody has changed the OTU meanwhile.
mutation UpdateOTU($change: UpdateOtuInput!) {
  updateOtu(input: $change) {
    otu { name abbreviation version }
    errors { code message path }
  }
}`,
    {
      otu: {
        referenceId: 'reference_…',
        name: 'Tobacco mosaic virus',
        abbreviation: 'TMV',
        schema: [{ name: 'RNA', molecule: 'SS_RNA_PLUS' }],
      },
      isolate: { otuId: 'otu_…', sourceType: 'strain', sourceName: 'U1' },
      sequence: {
        isolateId: 'isolate_…',
        accession: 'NC_001367',
        definition: 'Tobacco mosaic virus, complete genome',
        segment: 'RNA',
        sequence: 'GTATTTTTACAACAATTACCAACAAC',
      },
      change: { id: 'otu_…', name: 'Common tobacco mosaic virus', expectedVersion: 2 },
    },
  ),
  example(
    `
# What became of an OTU, newest first.
query History($otu: ID!, $version: Int!) {
  otu(id: $otu) {
    name version
    history(first: 25) {
      nodes {
        id verb description createdAt
        otuVersion unbuilt diff
        user { handle }
      }
    }
    atVersion(version: $version) {
      name
      isolates { name sequences { accession } }
    }
  }
}

# What is in no build yet, also of OTUs that are gone.
query UnbuiltChanges($reference: ID) {
  history(first: 25, referenceId: $reference, unbuilt: true) {
    totalCount
    nodes { id otuName otuVersion description createdAt }
  }
}

# It takes back the later changes of the OTU, too.
mutation RevertChange($change: ID!) {
  revertChange(input: { id: $change }) {
    otu { id name version }
    revertedIds
    errors { code message path }
  }
}

subscription WatchHistory {
  history {
    operation ids
    historyEntry { otuName description user { handle } }
  }
}`,
    { otu: 'otu_…', version: 0, reference: null, change: 'history_…' },
  ),
  example(
    `
mutation BuildIndex($reference: ID!) {
  buildIndex(input: { referenceId: $reference }) {
    index { id version ready changeCount otuCount }
    job { id state }
    errors { code message path }
  }
}

# ready: true gives the latest of each reference.
query Indexes($reference: ID) {
  indexes(first: 25, referenceId: $reference) {
    nodes {
      id version ready latest createdAt
      changeCount modifiedOtuCount
      contributors { count user { handle } }
      reference { name }
      job { state progress }
      exportUrl
    }
  }
}

query Index($index: ID!) {
  index(id: $index) {
    version
    otus { name changeCount }
    manifest { otuId version }
  }
}

subscription WatchIndexes {
  indexes { operation ids index { version ready } }
}`,
    { reference: 'reference_…', index: 'index_…' },
  ),
  example(`
# Every change of every sample that you may read.
subscription WatchSamples {
  samples {
    cursor operation ids at
    sample { name ready labels { name } job { state } }
  }
}`),
  example(`
subscription WatchJobs {
  jobs {
    operation ids
    job { workflow state stage progress error { message } }
  }
}`),
  example(
    `
subscription WatchJobLog($id: ID!) {
  jobLog(id: $id) { number at text }
}`,
    { id: 'job_…' },
  ),
  example(`
# All that you may read, in one order.
# Only administrators are told of the audit log.
subscription WatchEverything {
  changes(
    collections: [
      SAMPLES, FILES, JOBS, USERS, GROUPS, LABELS
      SUBTRACTIONS, REFERENCES, OTUS, SEQUENCES, HISTORY, INDEXES
      TASKS, STATUS, SETTINGS, INSTANCE_MESSAGES, AUDIT
    ]
  ) {
    __typename cursor operation ids at
    ... on LabelChange { label { name color } }
    ... on ReferenceChange { reference { name ready } }
    ... on OTUChange { otu { name version verified } }
    ... on HistoryChange { historyEntry { description } }
    ... on IndexChange { index { version ready } }
    ... on TaskChange { task { type state step progress } }
    ... on SettingsChange { settings { version } }
    ... on InstanceMessageChange {
      instanceMessage { message active }
    }
    ... on AuditEntryChange {
      auditEntry { handle action deed documentId fields }
    }
  }
}`),
  example(
    `
# What belongs to you alone, and where you are signed in.
query Account {
  viewer {
    handle email lastPasswordChange
    groups { name permissions }
    settings {
      showIds showVersions
      skipQuickAnalyzeDialog quickAnalyzeWorkflow
    }
    sessions {
      id address agent remember current
      createdAt lastUsedAt expiresAt
    }
  }
}

mutation UpdateAccount($account: UpdateAccountInput!) {
  updateAccount(input: $account) {
    viewer { email lastPasswordChange }
    errors { code message path }
  }
}

mutation UpdateAccountSettings(
  $settings: UpdateAccountSettingsInput!
) {
  updateAccountSettings(input: $settings) {
    viewer { settings { showIds quickAnalyzeWorkflow } }
    errors { code message path }
  }
}

mutation EndSession($session: EndSessionInput!) {
  endSession(input: $session) {
    sessionId
    errors { code message path }
  }
}

mutation EndOtherSessions {
  endOtherSessions { count errors { code message path } }
}`,
    {
      account: { email: 'ada@example.org' },
      settings: { showIds: true, quickAnalyzeWorkflow: 'NUVS' },
      session: { id: 'session_…' },
    },
  ),
  example(
    `
query ApiKeys {
  viewer {
    apiKeys {
      id name permissions administrator version
      createdAt lastUsedAt expiresAt
    }
  }
}

# A key for scripts. It is shown once.
# Authorization: Bearer <key>
mutation CreateApiKey($key: CreateApiKeyInput!) {
  createApiKey(input: $key) {
    apiKey { id name permissions expiresAt }
    key
    errors { code message path }
  }
}

mutation UpdateApiKey($change: UpdateApiKeyInput!) {
  updateApiKey(input: $change) {
    apiKey { id name permissions expiresAt version }
    errors { code message path }
  }
}

mutation DeleteApiKey($id: ID!) {
  deleteApiKey(input: { id: $id }) {
    apiKey { name }
    errors { code message path }
  }
}`,
    {
      key: { name: 'Upload script', permissions: ['UPLOAD_FILE', 'CREATE_SAMPLE'], expiresAt: '2099-01-01T00:00:00Z' },
      change: { id: 'key_…', name: 'Night script', expiresAt: null },
      id: 'key_…',
    },
  ),
  example(
    `
# Who is here. Of others, only administrators
# see the e-mail address and forceReset.
query People {
  users(first: 25, orderBy: [{ field: HANDLE }]) {
    totalCount
    nodes {
      id handle email administrator active forceReset
      primaryGroup { name }
      groups { name }
      version
    }
  }
  groups {
    nodes { id name permissions memberCount version }
  }
}

mutation CreateGroup($group: CreateGroupInput!) {
  createGroup(input: $group) {
    group { id name permissions }
    errors { code message path }
  }
}

# They choose a password of their own at their first
# sign-in, unless forceReset is false.
mutation CreateUser($user: CreateUserInput!) {
  createUser(input: $user) {
    user { id handle forceReset groups { name } }
    errors { code message path }
  }
}

mutation UpdateUser($change: UpdateUserInput!) {
  updateUser(input: $change) {
    user { id handle active groups { name } version }
    errors { code message path }
  }
}`,
    {
      group: { name: 'Virologists', permissions: ['UPLOAD_FILE', 'CREATE_SAMPLE'] },
      user: { handle: 'grace', password: 'the first of many', groupIds: ['group_…'], primaryGroupId: 'group_…' },
      change: { id: 'user_…', groupIds: [], active: false },
    },
  ),
  example(
    `
query Settings {
  settings {
    minimumPasswordLength sampleUniqueNames
    sampleGroup sampleGroupRead sampleGroupWrite
    sampleAllRead sampleAllWrite
    defaultSourceTypes hmmSlug version
  }
  instanceMessage { message color updatedAt user { handle } }
}

# From here on for administrators.
mutation UpdateSettings($settings: UpdateSettingsInput!) {
  updateSettings(input: $settings) {
    settings { minimumPasswordLength sampleAllRead version }
    errors { code message path }
  }
}

# It is shown at once, at the top of this page.
mutation SetInstanceMessage($message: SetInstanceMessageInput!) {
  setInstanceMessage(input: $message) {
    instanceMessage { message color }
    errors { code message path }
  }
}

mutation RemoveInstanceMessage {
  removeInstanceMessage {
    instanceMessage { active }
    errors { code message path }
  }
}`,
    {
      settings: { minimumPasswordLength: 10, sampleAllRead: false },
      message: { message: 'Maintenance on Monday\nfrom 8 to 9', color: 'YELLOW' },
    },
  ),
  example(
    `
# Who did what, newest first. For administrators.
query AuditLog($filter: AuditEntryFilter) {
  auditEntries(first: 25, filter: $filter) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      at handle apiKeyId address requestId
      action deed collection documentId fields
    }
  }
}

subscription WatchAudit {
  audit {
    cursor
    auditEntry { at handle action deed documentId fields }
  }
}`,
    { filter: { deed: 'UPDATE' } },
  ),
];
