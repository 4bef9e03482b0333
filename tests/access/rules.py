"""Who may do what: a rule for each field, mutation, subscription and route. What a security reviewer reads.

A rule says what each of ten people gets:

    yes   it is allowed
    400   refused: BAD_USER_INPUT
    401   refused: UNAUTHENTICATED, nobody is signed in
    403   refused: FORBIDDEN
    404   as if it were not there: null, NOT_FOUND, absent from lists and counts, no event
    409   refused: CONFLICT
    -     null or empty, although the rest of its object is there

The documents that the rules speak of belong to the owner: a sample that members of its group may read and, but for the
group reader, change; a reference that members of that group may read, and in which the writer may also change OTUs and
build indexes, with all that is in it; jobs, files, keys and sessions of the owner.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The people of the matrix."""

    ANONYMOUS = "anonymous"
    STRANGER = "stranger"
    """Signed in, in no group."""
    READER = "reader"
    """In the group that may read the sample and the reference."""
    WRITER = "writer"
    """In that group, and may change the sample; may change the OTUs of the reference and build it."""
    OWNER = "owner"
    """Made the documents; may create samples and references and upload files."""
    ENTITLED = "entitled"
    """Has every permission there is, and no right on a document."""
    KEY = "key"
    """An API key of the owner, without a permission."""
    PLAIN_KEY = "plain key"
    """An API key of an administrator that is not made an administrator, without a permission."""
    DEACTIVATED = "deactivated"
    """Was an administrator, and has the session cookie still."""
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Rule:
    """What each role gets. `own` marks what is told of whoever asks, so that no two need get the same."""

    says: str
    answers: str
    own: bool = False

    def __getitem__(self, role: Role) -> str:
        return dict(zip(Role, self.answers.split(), strict=True))[role]

    def roles(self, answer: str) -> list[Role]:
        return [role for role in Role if self[role] == answer]


# fmt: off
#                                                          anon  strng read  write owner entit key   plain deact admin
ANYBODY = Rule("Anybody, signed in or not.",              "yes   yes   yes   yes   yes   yes   yes   yes   yes   yes")
SIGNED_IN = Rule("Everybody who is signed in.",           "401   yes   yes   yes   yes   yes   yes   yes   401   yes")
VIEWER = Rule("Oneself; null when nobody is signed in.",  "404   yes   yes   yes   yes   yes   yes   yes   404   yes")
SESSION = Rule("Oneself, by password and not by a key.",  "401   yes   yes   yes   yes   yes   403   403   401   yes")
COOKIE = Rule("Whoever has a session to end.",            "401   yes   yes   yes   yes   yes   409   409   401   yes")
ADMINISTRATOR = Rule("Administrators.",                   "401   403   403   403   403   403   403   403   401   yes")

CREATES_SAMPLES = Rule("Needs CREATE_SAMPLE.",            "401   403   403   403   yes   yes   403   403   401   yes")
UPLOADS_FILES = Rule("Needs UPLOAD_FILE.",                "401   403   403   403   yes   yes   403   403   401   yes")
REMOVES_FILES = Rule("Needs REMOVE_FILE.",                "401   403   403   403   403   yes   403   403   401   yes")
KEEPS_FILE = Rule("Uploader who may; REMOVE_FILE.",       "401   403   403   403   yes   yes   403   403   401   yes")

READS_SAMPLE = Rule("Its rights say who reads a sample.", "401   404   yes   yes   yes   404   yes   404   401   yes")
WRITES_SAMPLE = Rule("Its rights say who changes it.",    "401   404   403   yes   yes   404   yes   404   401   yes")
OWNS_SAMPLE = Rule("Its creator alone.",                  "401   404   403   403   yes   404   yes   404   401   yes")

READS_JOB = Rule("Its owner; CANCEL_JOB or REMOVE_JOB.",  "401   404   404   404   yes   yes   yes   404   401   yes")
CANCELS_JOB = Rule("Its owner; CANCEL_JOB.",              "401   404   404   404   yes   yes   yes   404   401   yes")
REMOVES_JOB = Rule("Needs REMOVE_JOB.",                   "401   404   404   404   403   yes   403   404   401   yes")

CREATES_REFERENCES = Rule("Needs CREATE_REF.",            "401   403   403   403   yes   yes   403   403   401   yes")
CLONES_REFERENCE = Rule("CREATE_REF, and to read it.",    "401   403   403   403   yes   404   403   403   401   yes")
READS_REFERENCE = Rule("Its creator and its members.",    "401   404   yes   yes   yes   404   yes   404   401   yes")
MODIFIES_REFERENCE = Rule("Its right MODIFY.",            "401   404   403   403   yes   404   yes   404   401   yes")
REMOVES_REFERENCE = Rule("Its right REMOVE.",             "401   404   403   403   yes   404   yes   404   401   yes")
MODIFIES_OTUS = Rule("Its right MODIFY_OTU.",             "401   404   403   yes   yes   404   yes   404   401   yes")
BUILDS_REFERENCE = Rule("Its right BUILD.",               "401   404   403   yes   yes   404   yes   404   401   yes")
MODIFIES_HMMS = Rule("Needs MODIFY_HMM.",                 "401   403   403   403   403   yes   403   403   401   yes")

READS_KEY = Rule("Its owner, and nobody else.",           "401   404   404   404   yes   404   yes   404   401   404")
WRITES_KEY = Rule("Its owner by password, nobody else.",  "401   404   404   404   yes   404   403   403   401   404")
OWN_SESSION = Rule("Whose session it is, by password.",    "401   404   404   404   yes   404   403   403   401   404")

READS_AUDIT = Rule("Administrators see that it is there.","401   404   404   404   404   404   404   404   401   yes")

FIRST_USER = Rule("Nobody, once there is a user.",        "409   409   409   409   409   409   409   409   409   409")
PASSWORD = Rule("Whoever is active and knows theirs.",    "yes   yes   yes   yes   yes   yes   yes   yes   400   yes")

# Rules for fields of an object that one may read.
WITH_OBJECT = Rule("Whoever reads the object.",           "yes   yes   yes   yes   yes   yes   yes   yes   yes   yes")
OF_VIEWER = Rule("Told of, or counted for, who asks.",    "yes   yes   yes   yes   yes   yes   yes   yes   yes   yes",
                 own=True)
JOB_TOO = Rule("Who may read that job too.",              "-     -     -     -     yes   yes   yes   -     -     yes")
REFERENCE_TOO = Rule("Who may read that reference too.",  "-     -     -     -     yes   -     yes   -     -     yes")
TASK_TOO = Rule("Who may read that task too.",            "-     -     yes   yes   yes   -     yes   -     -     yes")
OWN_OR_ALL = Rule("Of oneself; administrators of all.",   "-     -     -     -     yes   -     yes   -     -     yes")
FOR_ADMINISTRATORS = Rule("Administrators.",              "-     -     -     -     -     -     -     -     -     yes")
# fmt: on

ROUTES: dict[str, Rule] = {
    "GET /downloads/files/{id}": SIGNED_IN,
    "GET /downloads/samples/{id}/reads_{number:int}.fq.gz": READS_SAMPLE,
    "GET /downloads/references/{id}/reference.json.gz": READS_REFERENCE,
    "GET /downloads/indexes/{id}/reference.json.gz": READS_REFERENCE,
    "GET /downloads/otus/{id}.fa": READS_REFERENCE,
    "GET /downloads/isolates/{id}.fa": READS_REFERENCE,
    "GET /downloads/sequences/{id}.fa": READS_REFERENCE,
    "POST /uploads": UPLOADS_FILES,
    "GET /health/live": ANYBODY,
    "GET /health/ready": ANYBODY,
    "GET /explorer": ANYBODY,
}
"""HEAD goes with GET. `/graphql` is all the rest of this module."""

NODES: dict[str, Rule] = {
    "Sample": READS_SAMPLE,
    "File": SIGNED_IN,
    "Job": READS_JOB,
    "User": SIGNED_IN,
    "Group": SIGNED_IN,
    "ApiKey": READS_KEY,
    "Label": SIGNED_IN,
    "Subtraction": SIGNED_IN,
    "Reference": READS_REFERENCE,
    "OTU": READS_REFERENCE,
    "Isolate": READS_REFERENCE,
    "Sequence": READS_REFERENCE,
    "HistoryEntry": READS_REFERENCE,
    "Index": READS_REFERENCE,
    "Task": READS_REFERENCE,
    "HMMStatus": SIGNED_IN,
    "Software": SIGNED_IN,
    "InstanceMessage": SIGNED_IN,
    "AuditEntry": READS_AUDIT,
}
"""Who may read a document: by `node`, in a list, and by a change in `changes`."""

COLLECTIONS: dict[str, Rule] = {
    "SAMPLES": READS_SAMPLE,
    "FILES": SIGNED_IN,
    "JOBS": READS_JOB,
    "USERS": SIGNED_IN,
    "GROUPS": SIGNED_IN,
    "LABELS": SIGNED_IN,
    "SUBTRACTIONS": SIGNED_IN,
    "REFERENCES": READS_REFERENCE,
    "OTUS": READS_REFERENCE,
    "SEQUENCES": READS_REFERENCE,
    "HISTORY": READS_REFERENCE,
    "INDEXES": READS_REFERENCE,
    "TASKS": READS_REFERENCE,
    "STATUS": SIGNED_IN,
    "SETTINGS": SIGNED_IN,
    "INSTANCE_MESSAGES": SIGNED_IN,
    "AUDIT": READS_AUDIT,
}
"""Who is told of changes in `changes`."""

CHANGE = "cursor operation ids at"
PAGE = "nodes edges pageInfo totalCount"
EDGE = "cursor node"

FIELDS: dict[str, dict[Rule, str]] = {
    "Query": {
        ANYBODY: "server",
        VIEWER: "viewer",
        SIGNED_IN: "cursor settings instanceMessage node nodes files file users user groups group labels label "
        "subtractions subtraction hmmStatus software genbank officialInstalled",
        READS_SAMPLE: "samples sample",
        READS_REFERENCE: "references reference otus otu sequence history historyEntry indexes index tasks task",
        READS_JOB: "jobs job",
        ADMINISTRATOR: "auditEntries",
        READS_AUDIT: "auditEntry",
    },
    "Mutation": {
        FIRST_USER: "createFirstUser",
        PASSWORD: "login resetPassword",
        COOKIE: "logout",
        SESSION: "updateAccount updateAccountSettings endOtherSessions createApiKey deleteApiKeys",
        OWN_SESSION: "endSession",
        WRITES_KEY: "updateApiKey deleteApiKey",
        ADMINISTRATOR: "createUser updateUser createGroup updateGroup deleteGroup updateSettings setInstanceMessage "
        "updateInstanceMessage removeInstanceMessage checkSoftwareReleases",
        CREATES_SAMPLES: "createSample createLabel updateLabel deleteLabel",
        WRITES_SAMPLE: "updateSample deleteSample updateSampleLabels",
        OWNS_SAMPLE: "updateSampleRights",
        CREATES_REFERENCES: "createReference importReference installReference",
        CLONES_REFERENCE: "cloneReference",
        READS_REFERENCE: "checkReferenceRelease",
        MODIFIES_REFERENCE: "updateReference archiveReference restoreReference updateReferenceFromRelease "
        "addReferenceUser updateReferenceUser removeReferenceUser addReferenceGroup updateReferenceGroup "
        "removeReferenceGroup",
        REMOVES_REFERENCE: "deleteReference",
        MODIFIES_OTUS: "createOtu updateOtu deleteOtu createIsolate updateIsolate setDefaultIsolate deleteIsolate "
        "createSequence updateSequence deleteSequence revertChange",
        BUILDS_REFERENCE: "buildIndex",
        MODIFIES_HMMS: "checkHmmRelease",
        KEEPS_FILE: "updateFile",
        REMOVES_FILES: "deleteFile",
        CANCELS_JOB: "cancelJob",
        REMOVES_JOB: "deleteJob",
    },
    "Subscription": {
        SIGNED_IN: "changes files users groups labels subtractions status settings instanceMessages",
        READS_SAMPLE: "samples",
        READS_REFERENCE: "references otus sequences history indexes tasks",
        READS_JOB: "jobs jobLog",
        ADMINISTRATOR: "audit",
    },
    # What can be read.
    "AccountSettings": {OF_VIEWER: "showIds showVersions skipQuickAnalyzeDialog quickAnalyzeWorkflow"},
    "ApiKey": {WITH_OBJECT: "id name permissions administrator createdAt expiresAt lastUsedAt version"},
    "AuditEntry": {
        WITH_OBJECT: "id at handle apiKeyId address requestId action deed collection documentId fields user"
    },
    "ClonedFrom": {WITH_OBJECT: "name", REFERENCE_TOO: "reference"},
    "Contributor": {WITH_OBJECT: "count user"},
    "File": {WITH_OBJECT: "id name type size ready reserved createdAt uploadedAt expiresAt downloadUrl version user"},
    "GenBankRecord": {WITH_OBJECT: "accession definition sequence host"},
    "Group": {WITH_OBJECT: "id name permissions createdAt version members memberCount"},
    "HMMStatus": {
        WITH_OBJECT: "id release installed updates updating errors checkedAt version",
        TASK_TOO: "task",
    },
    "HistoryEntry": {
        WITH_OBJECT: "id verb description createdAt otuId otuName otuVersion unbuilt user reference index otu diff "
        "atVersion"
    },
    "ImportedFrom": {WITH_OBJECT: "name size uploadedAt file user"},
    "Index": {
        WITH_OBJECT: "id version ready latest hasFiles hasJson otuCount changeCount modifiedOtuCount exportUrl "
        "createdAt user reference contributors otus manifest",
        JOB_TOO: "job",
    },
    "IndexOTU": {WITH_OBJECT: "otuId name changeCount otu"},
    "Installation": {WITH_OBJECT: "releaseId name body filename size htmlUrl publishedAt newer ready createdAt user"},
    "InstanceMessage": {WITH_OBJECT: "id message color active createdAt updatedAt version user"},
    "Isolate": {WITH_OBJECT: "id sourceType sourceName name default fastaUrl sequences otu"},
    "Job": {
        WITH_OBJECT: "id workflow state stage progress proc mem args status error cancelRequested attempts createdAt "
        "user log"
    },
    "JobError": {WITH_OBJECT: "type message details", FOR_ADMINISTRATORS: "traceback"},
    "JobLogConnection": {WITH_OBJECT: "nodes hasNextPage"},
    "JobLogLine": {WITH_OBJECT: "number at text"},
    "JobStatus": {WITH_OBJECT: "state stage progress at"},
    "Label": {WITH_OBJECT: "id name color description user createdAt version", OF_VIEWER: "sampleCount"},
    "ManifestEntry": {WITH_OBJECT: "otuId version otu"},
    "NucleotideComposition": {WITH_OBJECT: "a c g t n"},
    "OTU": {
        WITH_OBJECT: "id name abbreviation verified modified version lastIndexedVersion schema imported remoteId "
        "fastaUrl createdAt updatedAt isolates issues reference user mostRecentChange history atVersion"
    },
    "OTUIssues": {WITH_OBJECT: "emptyOtu isolateInconsistency emptyIsolates emptySequences"},
    "Quality": {WITH_OBJECT: "count encoding length gc bases composition sequences"},
    "Reads": {WITH_OBJECT: "id name size fileName downloadUrl"},
    "Reference": {
        WITH_OBJECT: "id name description dataType organism restrictSourceTypes sourceTypes targets clonedFrom "
        "importedFrom remotesFrom release installed updates updating ready archived exportUrl createdAt updatedAt "
        "version user internalControl otuCount unbuiltChangeCount modifiedOtuCount latestBuild task members "
        "contributors",
        OF_VIEWER: "rights",
    },
    "ReferenceMember": {WITH_OBJECT: "build modify modifyOtu remove createdAt user group"},
    "ReferenceRights": {OF_VIEWER: "build modify modifyOtu remove"},
    "Release": {WITH_OBJECT: "releaseId name body filename size htmlUrl downloadUrl publishedAt retrievedAt newer"},
    "RemotesFrom": {WITH_OBJECT: "slug errors"},
    "Sample": {
        WITH_OBJECT: "id name host isolate locale notes libraryType paired ready reads rights createdAt updatedAt "
        "version quality user group labels subtractions",
        JOB_TOO: "job",
    },
    "SampleRights": {WITH_OBJECT: "groupRead groupWrite allRead allWrite"},
    "Segment": {WITH_OBJECT: "name molecule required"},
    "Sequence": {
        WITH_OBJECT: "id accession definition host segment target length remoteId fastaUrl sequence isolate otu"
    },
    "Server": {WITH_OBJECT: "version setupRequired minimumPasswordLength"},
    "Session": {OF_VIEWER: "id createdAt lastUsedAt expiresAt address agent remember current"},
    "Settings": {
        WITH_OBJECT: "minimumPasswordLength sampleGroup sampleGroupRead sampleGroupWrite sampleAllRead sampleAllWrite "
        "sampleUniqueNames defaultSourceTypes hmmSlug softwareChannel version"
    },
    "Software": {WITH_OBJECT: "id version errors checkedAt releases"},
    "Subtraction": {
        WITH_OBJECT: "id name nickname count gc ready deleted fileName createdAt version user file",
        JOB_TOO: "job",
    },
    "Target": {WITH_OBJECT: "name description required length"},
    "Task": {
        WITH_OBJECT: "id type state step progress complete error problems warnings createdAt updatedAt user reference"
    },
    "TaskProblem": {WITH_OBJECT: "message otuId otuName"},
    "User": {
        WITH_OBJECT: "id handle administrator active createdAt version groups primaryGroup",
        OWN_OR_ALL: "email forceReset lastPasswordChange",
    },
    "Viewer": {
        OF_VIEWER: "id handle administrator permissions user email settings lastPasswordChange primaryGroup sessions "
        "groups apiKeys"
    },
    # Pages of lists.
    "FileConnection": {OF_VIEWER: PAGE},
    "FileEdge": {OF_VIEWER: EDGE},
    "GroupConnection": {OF_VIEWER: PAGE},
    "GroupEdge": {OF_VIEWER: EDGE},
    "HistoryEntryConnection": {OF_VIEWER: PAGE},
    "HistoryEntryEdge": {OF_VIEWER: EDGE},
    "IndexConnection": {OF_VIEWER: PAGE},
    "IndexEdge": {OF_VIEWER: EDGE},
    "JobConnection": {OF_VIEWER: PAGE},
    "JobEdge": {OF_VIEWER: EDGE},
    "AuditEntryConnection": {OF_VIEWER: PAGE},
    "AuditEntryEdge": {OF_VIEWER: EDGE},
    "LabelConnection": {OF_VIEWER: PAGE},
    "LabelEdge": {OF_VIEWER: EDGE},
    "OTUConnection": {OF_VIEWER: PAGE},
    "OTUEdge": {OF_VIEWER: EDGE},
    "ReferenceConnection": {OF_VIEWER: PAGE},
    "ReferenceEdge": {OF_VIEWER: EDGE},
    "TaskConnection": {OF_VIEWER: PAGE},
    "TaskEdge": {OF_VIEWER: EDGE},
    "SubtractionConnection": {OF_VIEWER: PAGE},
    "SubtractionEdge": {OF_VIEWER: EDGE},
    "PageInfo": {OF_VIEWER: "hasNextPage hasPreviousPage startCursor endCursor"},
    "SampleConnection": {OF_VIEWER: PAGE},
    "SampleEdge": {OF_VIEWER: EDGE},
    "UserConnection": {OF_VIEWER: PAGE},
    "UserEdge": {OF_VIEWER: EDGE},
    # Changes: the rule of the subscription decides.
    "FileChange": {WITH_OBJECT: f"{CHANGE} file"},
    "GroupChange": {WITH_OBJECT: f"{CHANGE} group"},
    "JobChange": {WITH_OBJECT: f"{CHANGE} job"},
    "AuditEntryChange": {WITH_OBJECT: f"{CHANGE} auditEntry"},
    "InstanceMessageChange": {WITH_OBJECT: f"{CHANGE} instanceMessage"},
    "LabelChange": {WITH_OBJECT: f"{CHANGE} label"},
    "ReferenceChange": {WITH_OBJECT: f"{CHANGE} reference"},
    "OTUChange": {WITH_OBJECT: f"{CHANGE} otu"},
    "SequenceChange": {WITH_OBJECT: f"{CHANGE} sequence"},
    "HistoryChange": {WITH_OBJECT: f"{CHANGE} historyEntry"},
    "IndexChange": {WITH_OBJECT: f"{CHANGE} index"},
    "TaskChange": {WITH_OBJECT: f"{CHANGE} task"},
    "StatusChange": {WITH_OBJECT: f"{CHANGE} status"},
    "SettingsChange": {WITH_OBJECT: f"{CHANGE} settings"},
    "SubtractionChange": {WITH_OBJECT: f"{CHANGE} subtraction"},
    "SampleChange": {WITH_OBJECT: f"{CHANGE} sample"},
    "UserChange": {WITH_OBJECT: f"{CHANGE} user"},
    # What mutations answer with: the rule of the mutation decides.
    "CancelJobPayload": {WITH_OBJECT: "errors job"},
    "CreateApiKeyPayload": {WITH_OBJECT: "errors apiKey key"},
    "CreateFirstUserPayload": {WITH_OBJECT: "errors user viewer"},
    "CreateSamplePayload": {WITH_OBJECT: "errors sample job"},
    "DeleteApiKeyPayload": {WITH_OBJECT: "errors apiKey"},
    "DeleteFilePayload": {WITH_OBJECT: "errors file"},
    "DeleteJobPayload": {WITH_OBJECT: "errors job"},
    "DeleteSamplePayload": {WITH_OBJECT: "errors sample"},
    "LoginPayload": {WITH_OBJECT: "errors viewer resetCode"},
    "LogoutPayload": {WITH_OBJECT: "errors signedOut"},
    "CreateGroupPayload": {WITH_OBJECT: "errors group"},
    "CreateLabelPayload": {WITH_OBJECT: "errors label"},
    "CreateUserPayload": {WITH_OBJECT: "errors user"},
    "DeleteApiKeysPayload": {WITH_OBJECT: "errors count"},
    "DeleteGroupPayload": {WITH_OBJECT: "errors group"},
    "DeleteLabelPayload": {WITH_OBJECT: "errors label"},
    "EndOtherSessionsPayload": {WITH_OBJECT: "errors count"},
    "EndSessionPayload": {WITH_OBJECT: "errors sessionId"},
    "RemoveInstanceMessagePayload": {WITH_OBJECT: "errors instanceMessage"},
    "ResetPasswordPayload": {WITH_OBJECT: "errors resetCode viewer"},
    "SetInstanceMessagePayload": {WITH_OBJECT: "errors instanceMessage"},
    "UpdateAccountPayload": {WITH_OBJECT: "errors viewer"},
    "UpdateAccountSettingsPayload": {WITH_OBJECT: "errors viewer"},
    "UpdateApiKeyPayload": {WITH_OBJECT: "errors apiKey"},
    "UpdateGroupPayload": {WITH_OBJECT: "errors group"},
    "UpdateInstanceMessagePayload": {WITH_OBJECT: "errors instanceMessage"},
    "UpdateLabelPayload": {WITH_OBJECT: "errors label"},
    "UpdateSampleLabelsPayload": {WITH_OBJECT: "errors results"},
    "CreateReferencePayload": {WITH_OBJECT: "errors reference"},
    "CloneReferencePayload": {WITH_OBJECT: "errors reference task"},
    "UpdateReferencePayload": {WITH_OBJECT: "errors reference"},
    "ArchiveReferencePayload": {WITH_OBJECT: "errors reference"},
    "RestoreReferencePayload": {WITH_OBJECT: "errors reference"},
    "DeleteReferencePayload": {WITH_OBJECT: "errors reference task"},
    "ImportReferencePayload": {WITH_OBJECT: "errors reference task"},
    "InstallReferencePayload": {WITH_OBJECT: "errors reference task"},
    "CheckReferenceReleasePayload": {WITH_OBJECT: "errors reference"},
    "UpdateReferenceFromReleasePayload": {WITH_OBJECT: "errors reference task"},
    "AddReferenceUserPayload": {WITH_OBJECT: "errors reference"},
    "UpdateReferenceUserPayload": {WITH_OBJECT: "errors reference"},
    "RemoveReferenceUserPayload": {WITH_OBJECT: "errors reference"},
    "AddReferenceGroupPayload": {WITH_OBJECT: "errors reference"},
    "UpdateReferenceGroupPayload": {WITH_OBJECT: "errors reference"},
    "RemoveReferenceGroupPayload": {WITH_OBJECT: "errors reference"},
    "CreateOtuPayload": {WITH_OBJECT: "errors otu"},
    "UpdateOtuPayload": {WITH_OBJECT: "errors otu"},
    "DeleteOtuPayload": {WITH_OBJECT: "errors otu"},
    "RevertChangePayload": {WITH_OBJECT: "errors otu revertedIds"},
    "BuildIndexPayload": {WITH_OBJECT: "errors index job"},
    "CreateIsolatePayload": {WITH_OBJECT: "errors isolate otu"},
    "UpdateIsolatePayload": {WITH_OBJECT: "errors isolate otu"},
    "SetDefaultIsolatePayload": {WITH_OBJECT: "errors isolate otu"},
    "DeleteIsolatePayload": {WITH_OBJECT: "errors isolate otu"},
    "CreateSequencePayload": {WITH_OBJECT: "errors sequence otu"},
    "UpdateSequencePayload": {WITH_OBJECT: "errors sequence otu"},
    "DeleteSequencePayload": {WITH_OBJECT: "errors sequence otu"},
    "CheckHmmReleasePayload": {WITH_OBJECT: "errors hmmStatus"},
    "CheckSoftwareReleasesPayload": {WITH_OBJECT: "errors software"},
    "UpdateSettingsPayload": {WITH_OBJECT: "errors settings"},
    "UpdateUserPayload": {WITH_OBJECT: "errors user"},
    "SampleLabelsResult": {WITH_OBJECT: "sampleId sample errors"},
    "UpdateFilePayload": {WITH_OBJECT: "errors file"},
    "UpdateSamplePayload": {WITH_OBJECT: "errors sample"},
    "UpdateSampleRightsPayload": {WITH_OBJECT: "errors sample"},
    "UserError": {WITH_OBJECT: "code message path"},
}


def ruled() -> dict[str, Rule]:
    """Give the rule of each field by `Type.field`."""
    return {
        f"{type}.{field}": rule
        for type, rules in FIELDS.items()
        for rule, names in rules.items()
        for field in names.split()
    }
