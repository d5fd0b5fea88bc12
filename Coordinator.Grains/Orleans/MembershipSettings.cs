using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Hosting;

namespace Coordinator.Grains.Orleans;

/// <summary>
/// The settings of Orleans' membership with which the peers of a dead silo are back within seconds. In one file, because
/// some of them exist in some versions of Orleans only: those are set by name where they are.
/// </summary>
public static class MembershipSettings
{
    private const int MissedProbes = 3;
    private const int Votes = 2;
    private const string ConnectionCheck = "EnableConnectionLivenessCheck";
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Response = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A probe a second, three missed ones and two votes for a death, no check of connections that would overrule them, none
    /// by way of a third silo, and answers within 5 s. For the whole application: its own calls, too, have 5 s from here on.
    /// </summary>
    public static ISiloBuilder UseCoordinatorMembership(this ISiloBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = Probe;
            options.NumMissedProbesLimit = MissedProbes;
            options.NumVotesForDeathDeclaration = Votes;
            Property(ConnectionCheck)?.SetValue(options, false);
            // Of a silo that stands still, the third silo tells in up to 10.4 only when the one that asked it waits no longer,
            // and that counts for nothing: it took half a minute, by chance. Two votes are two silos' own probes now.
            options.EnableIndirectProbes = false;
        });
        builder.Services.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = Response);
        return builder;
    }

    internal static void WarnOfOthers(IServiceProvider services, ILogger log)
    {
        ClusterMembershipOptions membership = services.GetRequiredService<IOptions<ClusterMembershipOptions>>().Value;
        TimeSpan response = services.GetRequiredService<IOptions<SiloMessagingOptions>>().Value.ResponseTimeout;
        Compare(log, nameof(membership.ProbeTimeout), membership.ProbeTimeout, Probe);
        Compare(log, nameof(membership.NumMissedProbesLimit), membership.NumMissedProbesLimit, MissedProbes);
        Compare(log, nameof(membership.NumVotesForDeathDeclaration), membership.NumVotesForDeathDeclaration, Votes);
        Compare(log, nameof(SiloMessagingOptions.ResponseTimeout), response, Response);
        if (membership.EnableIndirectProbes)
            OrleansLog.MembershipDiffers(log, nameof(membership.EnableIndirectProbes), true, false);
        if (Property(ConnectionCheck)?.GetValue(membership) is true)
            OrleansLog.MembershipDiffers(log, ConnectionCheck, true, false);
    }

    private static PropertyInfo? Property(string name) => typeof(ClusterMembershipOptions).GetProperty(name);

    /// <summary>Quicker is no worse.</summary>
    private static void Compare<T>(ILogger log, string setting, T value, T recommended)
        where T : IComparable<T>
    {
        if (value.CompareTo(recommended) > 0)
            OrleansLog.MembershipDiffers(log, setting, value, recommended);
    }
}
