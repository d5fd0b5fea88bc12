using Coordinator.Contracts;
using static Coordinator.Tests.Silo.HttpBadValues;

namespace Coordinator.Tests.Silo;

/// <summary>What a route takes, and what it never does.</summary>
/// <param name="Valid">A JSON object that gets through: the body, or where there is none the query string.</param>
/// <param name="Fields">Those that it knows.</param>
/// <param name="Others">Whole objects that are refused, for what their fields say together.</param>
internal sealed record RouteInput(string Valid, BadField[] Fields, params (string Json, ErrorCode Code)[] Others);

/// <summary>Every route, with its bad input. Invariant: a route that is not in here fails a test.</summary>
internal static class HttpBadInputTable
{
    private static readonly BadField[] InSession = [Id("sessionId", required: true), Count("requestId"), Count("answeredBelow")];
    private static readonly BadField[] PerhapsInSession = [Id("sessionId"), Count("requestId"), Count("answeredBelow")];
    private static readonly BadField[] Page = [Count("limit", Limits.PageItemsMax), Word("consistency")];

    private static readonly BadField[] Acquire =
    [
        .. InSession, Seconds("waitSeconds", ErrorCode.InvalidWait, 86400), Label("label"), Label("traceId"),
        Seconds("maxHoldSeconds", ErrorCode.InvalidHoldTime, 86400),
        Seconds("lockDelaySeconds", ErrorCode.InvalidHoldTime, 60), Word("concurrent"),
    ];

    private static readonly RouteInput Listing = new("{}", [.. Page, Prefix("prefix"), Prefix("after")]);
    private static readonly RouteInput One = new("{}", [Word("consistency")]);
    private static readonly RouteInput Nothing = new("{}", []);
    private static readonly RouteInput Forced = new("""{"reason":"r"}""", [.. PerhapsInSession, Count("token"), Label("reason")],
        ("""{"requestId":1}""", ErrorCode.InvalidRequest), ("""{"sessionId":"7","answeredBelow":1}""", ErrorCode.InvalidRequest));

    private static readonly RouteInput AcquireLock = new("""{"sessionId":"7"}""",
        [.. Acquire, Word("mode"), Word("reentrant"), List("also")],
        ("""{"sessionId":"7","mode":"upgrade","reentrant":true}""", ErrorCode.InvalidRequest),
        ("""{"sessionId":"7","mode":"upgrade","also":[{"name":"b"}]}""", ErrorCode.InvalidRequest),
        ("""{"sessionId":"7","also":[{}]}""", ErrorCode.InvalidName),
        ("""{"sessionId":"7","also":[{"name":"a"}]}""", ErrorCode.InvalidRequest),
        ("""{"sessionId":"7","also":[{"name":"b"},{"name":"b"}]}""", ErrorCode.InvalidRequest),
        ("""{"sessionId":"7","also":[{"name":"b","colour":"red"}]}""", ErrorCode.InvalidRequest),
        ("""{"sessionId":"7","also":[{"name":"b","kind":"election"}]}""", ErrorCode.InvalidRequest),
        ("""{"sessionId":"7","also":[{"name":"b","mode":"upgrade"}]}""", ErrorCode.InvalidRequest),
        ("""{"sessionId":"7","also":[{"name":"b/../c"}]}""", ErrorCode.InvalidName),
        ("""{"sessionId":"7","also":[{"name":"b","kind":"semaphore"}]}""", ErrorCode.InvalidPermits),
        ("""{"sessionId":"7","also":[{"name":"b","kind":"semaphore","permits":3,"limit":2}]}""", ErrorCode.InvalidPermits),
        ($$"""{"sessionId":"7","also":[{{Several(Limits.ResourcesPerRequestMax)}}]}""", ErrorCode.TooManyResources));

    public static readonly IReadOnlyDictionary<string, RouteInput> Routes = new Dictionary<string, RouteInput>
    {
        ["GET /v1/sessions"] = new("{}", [.. Page, Id("after")]),
        ["POST /v1/sessions"] = new("""{"ttlSeconds":10}""",
            [Seconds("ttlSeconds", ErrorCode.InvalidTtl, 86400, missing: ErrorCode.InvalidTtl), Label("metadata"), Uuid("nonce")],
            ("""{"ttlSeconds":10,"namespace":"a/b"}""", ErrorCode.InvalidName)),
        ["GET /v1/sessions/{id}"] = One,
        ["DELETE /v1/sessions/{id}"] = Nothing,
        ["POST /v1/sessions/{id}/keepalive"] = Nothing,
        ["GET /v1/sessions/{id}/wait"] = new("""{"requestId":1}""", [Count("requestId"), Count("entryIndex"), Word("consistency")],
            ("{}", ErrorCode.InvalidRequest), ("""{"requestId":1,"entryIndex":2}""", ErrorCode.InvalidRequest)),
        ["POST /v1/sessions/{id}/cancel-wait"] = new("""{"requestId":1}""", [Count("requestId"), Flag("releaseIfGranted")],
            ("{}", ErrorCode.InvalidRequest), ("""{"entryIndex":0}""", ErrorCode.InvalidRequest),
            ("""{"requestId":1,"entryIndex":2}""", ErrorCode.InvalidRequest)),

        ["GET /v1/locks"] = Listing,
        ["GET /v1/locks/{name}"] = One,
        ["POST /v1/locks/{name}/acquire"] = AcquireLock,
        ["POST /v1/locks/{name}/release"] = new("""{"sessionId":"7"}""", [.. InSession, Count("token")]),
        ["POST /v1/locks/{name}/downgrade"] = new("""{"sessionId":"7"}""", [.. InSession, Count("token")]),
        ["POST /v1/locks/{name}/force-release"] = Forced,
        ["POST /v1/locks/{name}/request-release"] = Forced,

        ["GET /v1/semaphores"] = Listing,
        ["GET /v1/semaphores/{name}"] = One,
        ["POST /v1/semaphores/{name}/acquire"] = new("""{"sessionId":"7","limit":5}""",
            [
                .. Acquire, Count("permits", Limits.PermitsMax), List("also"),
                Count("limit", Limits.PermitsMax, missing: ErrorCode.InvalidPermits),
            ],
            ("""{"sessionId":"7","permits":6,"limit":5}""", ErrorCode.InvalidPermits)),
        ["POST /v1/semaphores/{name}/release"] =
            new("""{"sessionId":"7"}""", [.. InSession, Count("token"), Count("permits", Limits.PermitsMax)]),
        ["POST /v1/semaphores/{name}/force-release"] = Forced,
        ["POST /v1/semaphores/{name}/request-release"] = Forced,

        ["GET /v1/elections"] = Listing,
        ["GET /v1/elections/{name}"] = One,
        ["POST /v1/elections/{name}/campaign"] = new("""{"sessionId":"7"}""", [.. Acquire, Label("value")],
            ("""{"sessionId":"7","also":[{"name":"b"}]}""", ErrorCode.InvalidRequest)),
        ["POST /v1/elections/{name}/resign"] = new("""{"sessionId":"7"}""", [.. InSession, Count("token")]),
        ["POST /v1/elections/{name}/proclaim"] = new("""{"sessionId":"7"}""", [.. InSession, Count("token"), Label("value")]),
        ["POST /v1/elections/{name}/hand-over"] =
            new("""{"sessionId":"7","toSessionId":"8"}""", [.. InSession, Count("token"), Id("toSessionId", required: true)]),
        ["POST /v1/elections/{name}/force-release"] = Forced,
        ["POST /v1/elections/{name}/request-release"] = Forced,

        ["GET /v1/leases"] = Listing,
        ["GET /v1/leases/{name}"] = One,
        ["POST /v1/leases/{name}/acquire"] = new("""{"ttlSeconds":10}""",
            [
                Seconds("ttlSeconds", ErrorCode.InvalidTtl, 86400, missing: ErrorCode.InvalidTtl), Label("owner"), Label("traceId"),
                Seconds("lockDelaySeconds", ErrorCode.InvalidHoldTime, 60), Uuid("nonce"),
            ]),
        ["POST /v1/leases/{name}/renew"] = new("""{"leaseId":"7"}""", [Id("leaseId", required: true)]),
        ["POST /v1/leases/{name}/release"] = new("""{"leaseId":"7"}""", [Id("leaseId", required: true)]),
        ["POST /v1/leases/{name}/force-release"] = Forced,
        ["POST /v1/leases/{name}/request-release"] = Forced,
        ["GET /v1/forced-releases"] = new("{}", Page, ("""{"after":"x"}""", ErrorCode.InvalidRequest), ("""{"after":-1}""", ErrorCode.InvalidRequest)),

        ["GET /v1/config"] = new("{}", [.. Listing.Fields, Count("revision"), Flag("values"), Flag("count")]),
        ["GET /v1/config/{name}"] = new("{}", [Count("revision"), Word("consistency")]),
        ["PUT /v1/config/{name}"] = new("{}", [.. PerhapsInSession, Flag("bindSession")],
            ("""{"requestId":1}""", ErrorCode.InvalidRequest), ("""{"bindSession":true}""", ErrorCode.InvalidRequest),
            ("""{"expectedVersion":-1}""", ErrorCode.InvalidRequest), ("""{"expectedRevision":"x"}""", ErrorCode.InvalidRequest)),
        ["DELETE /v1/config/{name}"] = new("{}", PerhapsInSession,
            ("""{"expectedVersion":-1}""", ErrorCode.InvalidRequest), ("""{"expectedRevision":"x"}""", ErrorCode.InvalidRequest)),
        ["POST /v1/config/compact"] = new("""{"revision":1}""",
            [.. PerhapsInSession, Count("revision", missing: ErrorCode.InvalidRequest)]),
        ["POST /v1/config/rollback"] = new("""{"prefix":"","revision":1}""",
            [.. PerhapsInSession, Prefix("prefix"), Count("revision", missing: ErrorCode.InvalidRequest)],
            ("""{"revision":1}""", ErrorCode.InvalidRequest)),
        ["POST /v1/txn"] = new("""{"then":[{"get":"a"}]}""", [.. PerhapsInSession, List("compare"), List("then"), List("else")],
            ("""{"then":[{"put":"a","value":"1"},{"delete":"a"}]}""", ErrorCode.DuplicateKey),
            ("""{"then":[{"put":"a","value":"1"},{"put":"a","value":"2"}]}""", ErrorCode.DuplicateKey),
            ("""{"then":[{}]}""", ErrorCode.InvalidRequest),
            ("""{"compare":[{}]}""", ErrorCode.InvalidRequest),
            ("""{"then":[{"then":[]}]}""", ErrorCode.NestedTransaction),
            ("""{"then":[{"put":"a"}]}""", ErrorCode.InvalidRequest),
            ("""{"then":[{"put":"a","valueBase64":"?"}]}""", ErrorCode.InvalidRequest),
            ("""{"then":[{"put":"a//b","value":"1"}]}""", ErrorCode.InvalidName),
            ("""{"then":[{"get":"a","colour":"red"}]}""", ErrorCode.InvalidRequest),
            ("""{"compare":[{"key":"a","version":-1}]}""", ErrorCode.InvalidRequest),
            ("""{"compare":[{"key":"a","version":1,"exists":true}]}""", ErrorCode.InvalidRequest),
            ("""{"compare":[{"key":"a","is":"~","version":1}]}""", ErrorCode.InvalidRequest),
            ($$"""{"then":[{{Gets(Limits.TransactionOperationsMax + 1)}}]}""", ErrorCode.TooManyOperations)),

        ["GET /v1/groups/{group}/peers"] = Nothing,
        ["GET /v1/groups/{group}/snapshot"] = Nothing,
        ["POST /v1/groups/{group}/peers"] = new("{}", [Uuid("nonce"), Flag("learner"), Label("silo"), Count("replaces")],
            ("""{"learner":true,"replaces":1}""", ErrorCode.InvalidRequest)),
        ["DELETE /v1/groups/{group}/peers/{peer}"] = Nothing,
        ["POST /v1/groups/{group}/transfer-leadership"] = new("{}", [Count("to")]),
    };

    /// <summary>What whoever watches a silo asks must always be answered: these take nothing and look at nothing.</summary>
    public static readonly IReadOnlySet<string> TakeNothing =
        new HashSet<string> { "GET /v1/status", "GET /health/live", "GET /health/ready" };

    private static string Several(int count) =>
        string.Join(',', Enumerable.Range(0, count).Select(i => $$"""{"name":"also/{{i}}"}"""));

    private static string Gets(int count) => string.Join(',', Enumerable.Repeat("""{"get":"a"}""", count));
}
