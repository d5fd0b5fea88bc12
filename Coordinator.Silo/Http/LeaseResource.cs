using Coordinator.Contracts;
using Google.Protobuf;

namespace Coordinator.Silo.Http;

/// <summary>/v1/leases: list, get, acquire, renew, release; without a session.</summary>
internal sealed class LeaseResource(CheckedGateway gateway, HttpInterfaceOptions options)
{
    private readonly HoldingPages _pages = new(gateway, HoldingKind.Lease);

    public Task RouteAsync(HttpContext context, RequestTarget target, string[] rest)
    {
        string method = context.Request.Method;
        bool isGet = HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
        return rest switch
        {
            [] when isGet => _pages.ListAsync(context, target),
            [] => Problems.MethodNotAllowedAsync(context, "GET, HEAD"),
            _ when isGet => HoldingResource.WithNameAsync(context, rest, name => _pages.GetAsync(context, target, name)),
            [.. var named, "acquire" or "renew" or "release"] when HttpMethods.IsPost(method) =>
                HoldingResource.WithNameAsync(context, named, name => ExecuteAsync(context, target, name, rest[^1])),
            _ when HttpMethods.IsPost(method) => Problems.UnknownPathAsync(context,
                "The path of a POST ends with what to do: /v1/leases/{name}/acquire or /renew or /release."),
            _ => Problems.MethodNotAllowedAsync(context, "GET, HEAD, POST"),
        };
    }

    private async Task ExecuteAsync(HttpContext context, RequestTarget target, string name, string verb)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        Command command = Read(fields, name, verb);
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command) is { } result)
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

    private static Command Read(Fields fields, string name, string verb)
    {
        if (verb == "acquire")
            return new Command { AcquireLease = ReadAcquire(fields, name) };
        long leaseId = fields.Id("leaseId", required: true);
        return verb == "renew"
            ? new Command { RenewLease = new RenewLease { Name = name, LeaseId = leaseId } }
            : new Command { ReleaseLease = new ReleaseLease { Name = name, LeaseId = leaseId } };
    }

    private static AcquireLease ReadAcquire(Fields fields, string name)
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
        return acquire;
    }
}
