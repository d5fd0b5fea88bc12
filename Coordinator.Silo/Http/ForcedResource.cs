using Coordinator.Contracts;

namespace Coordinator.Silo.Http;

/// <summary>Against the will of holders of one kind, or nearly so: force-release and request-release.</summary>
internal sealed class ForcedResource(
    CheckedGateway gateway, HttpInterfaceOptions options, HoldingKind kind, string path)
{
    public IReadOnlyList<HttpRoute> Routes =>
    [
        ToRoute("force-release", "released", (command, name, token, reason) => command.ForceRelease =
            new ForceRelease { Kind = kind, Name = name, Token = token, Reason = reason }),
        ToRoute("request-release", "requested", (command, name, token, reason) => command.RequestRelease =
            new RequestRelease { Kind = kind, Name = name, Token = token, Reason = reason }),
    ];

    private HttpRoute ToRoute(string verb, string done, Action<Command, string, long, string> fill) => new(
        "POST",
        $"{path}/{HttpRoute.NameParameter}/{verb}",
        HttpRoute.WithName((context, target, name) => ExecuteAsync(context, target, name, done, fill)));

    private async Task ExecuteAsync(
        HttpContext context, RequestTarget target, string name, string done, Action<Command, string, long, string> fill)
    {
        Fields fields = await JsonBody.ReadAsync(context, options.JsonBytesMax);
        Command command = Commands.InSession(fields, sessionRequired: false, gateway.Groups);
        long token = fields.Count("token");
        fill(command, name, token, fields.Text("reason", ResourceName.LabelProblem, ErrorCode.InvalidRequest));
        if ((QueryString.Read(target.Query).Finish() ?? fields.Finish()) is { } refusal)
            await Problems.WriteAsync(context, refusal);
        else if (await Commands.ExecuteAsync(context, gateway, command, fields) is not null)
            await Answers.WriteAsync(context, json =>
            {
                json.WriteString("name", name);
                json.WriteBoolean(done, true);
            });
    }
}
