using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Silo.Http;

/// <summary>/v1/leases: list, get, acquire, renew, release; without a session.</summary>
internal sealed class LeaseResource(CheckedGateway gateway, HttpInterfaceOptions options)
{
    private readonly HoldingPages _pages = new(gateway, HoldingKind.Lease);

    public IReadOnlyList<HttpRoute> Routes =>
    [
        .. _pages.Routes, ToRoute("acquire", ReadAcquire), ToRoute("renew", ReadRenew), ToRoute("release", ReadRelease),
        .. new ForcedResource(gateway, options, HoldingKind.Lease, _pages.Path).Routes,
    ];

    private HttpRoute ToRoute(string verb, Func<Fields, string, Command> read) => new(
        "POST",
        $"{_pages.Path}/{HttpRoute.NameParameter}/{verb}",
        HttpRoute.WithName((context, target, name) => ExecuteAsync(context, target, name, read)));

    private async Task ExecuteAsync(HttpContext context, RequestTarget target, string name, Func<Fields, string, Command> read)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        Command command = read(fields, name);
        if (command.AcquireLease is { TraceId: "" } acquire)
            acquire.TraceId = TraceParent.TraceIdOf(context.Request);
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command, fields) is { } result)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteString("name", name);
                json.WriteId("leaseId", result.Token);
                if (result.Outcome == Outcome.Released)
                {
                    json.WriteBoolean("released", true);
                    return;
                }
                json.WriteNumber("token", result.Token);
                json.WriteSeconds("expiresInSeconds", result.TtlUs);
            });
    }

    private static Command ReadRenew(Fields fields, string name) => new()
    {
        RenewLease = new RenewLease { Name = name, LeaseId = fields.Id("leaseId", required: true) },
    };

    private static Command ReadRelease(Fields fields, string name) => new()
    {
        ReleaseLease = new ReleaseLease { Name = name, LeaseId = fields.Id("leaseId", required: true) },
    };

    private static Command ReadAcquire(Fields fields, string name)
    {
        long? ttlUs = fields.Microseconds("ttlSeconds", ErrorCode.InvalidTtl, Limits.TtlMin, Limits.TtlMax);
        if (ttlUs is null)
            fields.Refuse(ErrorCode.InvalidTtl, "\"ttlSeconds\" is missing.");
        var acquire = new AcquireLease
        {
            Name = name,
            Owner = fields.Text("owner", ResourceName.LabelProblem, ErrorCode.InvalidRequest),
            TtlUs = ttlUs ?? 0,
            TraceId = fields.Text("traceId", ResourceName.LabelProblem, ErrorCode.InvalidRequest),
            LockDelayUs =
                fields.Microseconds("lockDelaySeconds", ErrorCode.InvalidHoldTime, TimeSpan.Zero, Limits.LockDelayMax) ?? 0,
        };
        if (fields.Text("nonce") is { } nonce)
        {
            if (Guid.TryParse(nonce, out Guid known))
                acquire.Nonce = ByteString.CopyFrom(known.ToByteArray(bigEndian: true));
            else
                fields.Refuse(ErrorCode.InvalidRequest, "\"nonce\" is not a UUID.");
        }
        return new Command { AcquireLease = acquire };
    }
}
