using System.Net.Sockets;
using Coordinator.Grains;
using Coordinator.Grains.Storage;
using Coordinator.Replica;
using Npgsql;

namespace Coordinator.Silo.Hosting;

/// <summary>The peers of this process, and how it serves its clients. After it is disposed of, no peer writes.</summary>
internal abstract class SiloHost : IAsyncDisposable
{
    /// <summary>Whether a linearizable request would be served now.</summary>
    public abstract bool IsReady { get; }

    /// <summary>Puts the group's interfaces into the pipeline.</summary>
    public abstract void Configure(IApplicationBuilder pipeline);

    /// <summary>Ends only when the silo cannot go on, with the <see cref="StartupException"/> that says why.</summary>
    public virtual Task Failed { get; } = new TaskCompletionSource().Task;

    public abstract ValueTask DisposeAsync();

    protected static ReplicaOptions ReplicaOptionsOf(CoordinatorOptions options) => new()
    {
        // The heartbeat is the tick: the election time-out is a whole number of them.
        TickUs = (long)options.HeartbeatInterval.TotalMicroseconds,
        ElectionTicks = (int)Math.Ceiling(options.ElectionTimeout / options.HeartbeatInterval),
        HeartbeatTicks = 1,
        CheckEntries = options.StateCheckEntries,
        // All peers are in this process, or the silos hear of each other when a leader is gone.
        QuiesceElections = 2,
    };

    internal static string WitnessFolderOf(CoordinatorOptions options) => Path.Combine(options.DataFolder, "witness");

    protected static WitnessOptions WitnessOptionsOf(CoordinatorOptions options) => new()
    {
        Folder = WitnessFolderOf(options),
        TrustStorage = options.TrustStorage,
    };

    /// <summary>What a failed start means to the person who tried it; null: it is a fault of the program.</summary>
    protected static StartupException? Explain(Exception e, string connectionString)
    {
        switch (e)
        {
            case StartupException known:
                return known;
            case GroupStartException or CorruptRowException:
                return new StartupException(ExitCode.GroupNotStarted, e.Message, e);
            case DatabaseRefusedException:
                return new StartupException(ExitCode.NoPostgres, e.Message, e);
            case NpgsqlException or TimeoutException or SocketException:
                NpgsqlConnectionStringBuilder parts = new(connectionString);
                return new StartupException(
                    ExitCode.NoPostgres,
                    $"The PostgreSQL server at {parts.Host}:{parts.Port}, database {parts.Database}, cannot be used: "
                    + $"{e.Message} Start it, or correct ConnectionStrings__Coordinator.",
                    e);
            default:
                return null;
        }
    }
}
