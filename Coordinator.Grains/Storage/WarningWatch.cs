using Npgsql;

namespace Coordinator.Grains.Storage;

/// <summary>Keeps the last warning that came on a connection; notices of less weight are not asked for.</summary>
internal sealed class WarningWatch
{
    public WarningWatch(NpgsqlConnection connection) => connection.Notice += Noticed;

    public string? Last { get; private set; }

    public void Clear() => Last = null;

    private void Noticed(object sender, NpgsqlNoticeEventArgs args)
    {
        if (args.Notice.InvariantSeverity is "WARNING")
        {
            Last = $"{args.Notice.SqlState}: {args.Notice.MessageText}";
        }
    }
}
