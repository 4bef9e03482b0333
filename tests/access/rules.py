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
group reader, change; jobs, files, keys and sessions of the owner.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The people of the matrix."""

    ANONYMOUS = "anonymous"
    STRANGER = "stranger"
    """Signed in, in no group."""
    READER = "reader"
    """In the sample's group, which may read it."""
    WRITER = "writer"
    """In the sample's group, which may read and change it."""
    OWNER = "owner"
    """Made the documents; may create samples and upload files."""
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
OWN_OR_ALL = Rule("Of oneself; administrators of all.",   "-     -     -     -     yes   -     yes   -     -     yes")
FOR_ADMINISTRATORS = Rule("Administrators.",              "-     -     -     -     -     -     -     -     -     yes")
# fmt: on

ROUTES: dict[str, Rule] = {
    "GET /downloads/files/{id}": SIGNED_IN,
    "GET /downloads/samples/{id}/reads_{number:int}.fq.gz": READS_SAMPLE,
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
        "subtractions subtraction",
        READS_SAMPLE: "samples sample",
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
        "updateInstanceMessage removeInstanceMessage",
        CREATES_SAMPLES: "createSample createLabel updateLabel deleteLabel",
        WRITES_SAMPLE: "updateSample deleteSample updateSampleLabels",
        OWNS_SAMPLE: "updateSampleRights",
        KEEPS_FILE: "updateFile",
        REMOVES_FILES: "deleteFile",
        CANCELS_JOB: "cancelJob",
        REMOVES_JOB: "deleteJob",
    },
    "Subscription": {
        SIGNED_IN: "changes files users groups labels subtractions settings instanceMessages",
        READS_SAMPLE: "samples",
        READS_JOB: "jobs jobLog",
        ADMINISTRATOR: "audit",
    },
    # What can be read.
    "AccountSettings": {OF_VIEWER: "showIds showVersions skipQuickAnalyzeDialog quickAnalyzeWorkflow"},
    "ApiKey": {WITH_OBJECT: "id name permissions administrator createdAt expiresAt lastUsedAt version"},
    "AuditEntry": {
        WITH_OBJECT: "id at handle apiKeyId address requestId action deed collection documentId fields user"
    },
    "File": {WITH_OBJECT: "id name type size ready reserved createdAt uploadedAt expiresAt downloadUrl version user"},
    "Group": {WITH_OBJECT: "id name permissions createdAt version members memberCount"},
    "InstanceMessage": {WITH_OBJECT: "id message color active createdAt updatedAt version user"},
    "Job": {
        WITH_OBJECT: "id workflow state stage progress proc mem args status error cancelRequested attempts createdAt "
        "user log"
    },
    "JobError": {WITH_OBJECT: "type message details", FOR_ADMINISTRATORS: "traceback"},
    "JobLogConnection": {WITH_OBJECT: "nodes hasNextPage"},
    "JobLogLine": {WITH_OBJECT: "number at text"},
    "JobStatus": {WITH_OBJECT: "state stage progress at"},
    "Label": {WITH_OBJECT: "id name color description user createdAt version", OF_VIEWER: "sampleCount"},
    "NucleotideComposition": {WITH_OBJECT: "a c g t n"},
    "Quality": {WITH_OBJECT: "count encoding length gc bases composition sequences"},
    "Reads": {WITH_OBJECT: "id name size fileName downloadUrl"},
    "Sample": {
        WITH_OBJECT: "id name host isolate locale notes libraryType paired ready reads rights createdAt updatedAt "
        "version quality user group labels subtractions",
        JOB_TOO: "job",
    },
    "SampleRights": {WITH_OBJECT: "groupRead groupWrite allRead allWrite"},
    "Server": {WITH_OBJECT: "version setupRequired minimumPasswordLength"},
    "Session": {OF_VIEWER: "id createdAt lastUsedAt expiresAt address agent remember current"},
    "Settings": {
        WITH_OBJECT: "minimumPasswordLength sampleGroup sampleGroupRead sampleGroupWrite sampleAllRead sampleAllWrite "
        "sampleUniqueNames defaultSourceTypes hmmSlug version"
    },
    "Subtraction": {
        WITH_OBJECT: "id name nickname count gc ready deleted fileName createdAt version user file",
        JOB_TOO: "job",
    },
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
    "JobConnection": {OF_VIEWER: PAGE},
    "JobEdge": {OF_VIEWER: EDGE},
    "AuditEntryConnection": {OF_VIEWER: PAGE},
    "AuditEntryEdge": {OF_VIEWER: EDGE},
    "LabelConnection": {OF_VIEWER: PAGE},
    "LabelEdge": {OF_VIEWER: EDGE},
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
