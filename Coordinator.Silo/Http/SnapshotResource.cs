using System.Globalization;
using Coordinator.Contracts;
using Coordinator.Grains.Backup;

namespace Coordinator.Silo.Http;

/// <summary>/v1/groups/{group}/snapshot: all that the group is, as a file, for an operator.</summary>
internal sealed class SnapshotResource(CheckedGateway gateway, SnapshotStreams streams)
{
    public IReadOnlyList<HttpRoute> Routes => [new("GET", "/v1/groups/{group}/snapshot", SaveAsync)];

    private async Task SaveAsync(HttpContext context, RequestTarget target, string[] parameters)
    {
        if (QueryString.Read(target.Query).Finish() is { } surplus)
        {
            await Problems.WriteAsync(context, surplus);
            return;
        }
        if (!int.TryParse(parameters[0], NumberStyles.None, CultureInfo.InvariantCulture, out int group))
        {
            await Problems.WriteAsync(context, ErrorCode.InvalidRequest, "A group is a whole number from 0 on.");
            return;
        }
        using SavedGroup saved = await gateway.SaveAsync(group, context.RequestAborted);
        if (saved.State is not { } state)
        {
            if (group < gateway.Groups)
                Answers.SetPosition(context, gateway.Gateways[group].GetStatus());
            await Problems.WriteAsync(context, saved.Error, saved.Message);
            return;
        }
        Answers.SetPosition(context, new Position
        {
            Group = state.Group,
            Term = state.Term.Value,
            Index = state.Index,
            Revision = state.Revision,
        });
        await streams.SendAsync(context, state);
    }
}
