using System.Diagnostics;
using Coordinator.Silo.Hosting;

namespace Coordinator.Silo.Postgres;

/// <summary>
/// Starts and stops the server of one cluster, by pg_ctl: it gives the server a session of its own, which Ctrl-C in a
/// terminal does not reach, and drops an administrator's rights on Windows. What runs already is adopted. All starts of
/// one launcher listen at one address.
/// </summary>
internal sealed class ServerLauncher(
    ClusterHome home, PostgresPrograms programs, ServerUser user, PostgresOptions options, ILogger logger)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);
    private static readonly (string Mode, TimeSpan Patience)[] StopModes =
        [("fast", TimeSpan.FromSeconds(3)), ("immediate", TimeSpan.FromSeconds(1.5))];

    private volatile bool _isStarting;

    /// <summary>Null before the first start.</summary>
    public ServerAddress? Address { get; private set; }

    /// <summary>A postmaster that is ready. If this is cancelled or fails, one may still run: <see cref="StopAsync"/>.</summary>
    public async Task<Postmaster> LaunchAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource timeout = new(options.StartTimeout);
        using CancellationTokenSource either =
            CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        string problem = "";
        try
        {
            while (true)
            {
                if (Postmaster.Find(home.Cluster) is { } running)
                {
                    if (await AdoptAsync(running, either.Token))
                    {
                        logger.PostgresAdopted(programs.Version, running.Pid, home.LogFolder);
                        return running;
                    }
                }
                else if (await StartAsync(either.Token) is { } failure)
                {
                    problem = failure;
                    await Task.Delay(TimeSpan.FromMilliseconds(200), either.Token);
                }
                else if (Postmaster.Find(home.Cluster) is { } started)
                {
                    logger.PostgresStarted(programs.Version, started.Pid, home.LogFolder);
                    return started;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await StopAsync();
            throw new StartupException(
                ExitCode.NoPostgres,
                $"The private PostgreSQL did not get ready within {options.StartTimeout.TotalSeconds:0} s "
                + $"(Coordinator:Postgres:StartTimeout). {problem} Its log is in {home.LogFolder}.");
        }
    }

    /// <summary>Stops what runs, harder from step to step. Null if nothing ran; otherwise the mode that did it.</summary>
    public async Task<string?> StopAsync()
    {
        using Postmaster? postmaster = await FindStartedAsync();
        if (postmaster is null)
        {
            return null;
        }

        foreach ((string mode, TimeSpan patience) in StopModes)
        {
            await RunPgCtlAsync(["stop", "-D", ClusterHome.ClusterName, "-m", mode, "-W", "-s"], CancellationToken.None);
            if (await DiesWithinAsync(postmaster, patience))
            {
                return mode;
            }

            logger.PostgresStopEscalated(postmaster.Pid, mode);
        }

        postmaster.Kill();
        await DiesWithinAsync(postmaster, TimeSpan.FromSeconds(1));
        return "killed";
    }

    /// <summary>The last resort: no order, and next to no waiting.</summary>
    public async Task KillAsync()
    {
        using Postmaster? postmaster = await FindStartedAsync();
        postmaster?.Kill();
    }

    public void ReleaseAddress() => Address?.Release();

    private async Task<bool> AdoptAsync(Postmaster running, CancellationToken cancellationToken)
    {
        ServerAddress address = ServerAddress.Of(running.File);
        bool isReachable = Address is null ? !address.IsSocket || Directory.Exists(address.Host) : address == Address;
        if (!isReachable)
        {
            // Started by someone else, elsewhere: the connection strings that are out name another address.
            await StopAsync();
        }

        while (isReachable && running.IsAlive)
        {
            if (PostmasterFile.Read(home.Cluster) is { IsReady: true })
            {
                Address = address;
                return true;
            }

            await Task.Delay(PollInterval, cancellationToken);
        }

        running.Dispose();
        return false;
    }

    /// <summary>Null if the server is up; a problem if it may help to try again.</summary>
    private async Task<string?> StartAsync(CancellationToken cancellationToken)
    {
        if (PostmasterFile.Read(home.Cluster) is { } stale)
        {
            PassOver(stale);
        }

        Address ??= await ServerAddress.ChooseAsync(user, cancellationToken);
        await user.MakeFolderAsync(home.LogFolder, cancellationToken);
        File.Delete(home.StartLog);
        _isStarting = true;
        try
        {
            // Not cancelled half-way: the server that pg_ctl has begun to start could not be found again yet.
            Task<ProgramResult> start = StartServerAsync(
                [
                    "start", "-D", ClusterHome.ClusterName, "-w", "-t", $"{options.StartTimeout.TotalSeconds:0}", "-s",
                    "-l", ClusterHome.StartLogName, "-o", ServerSettings.CommandLine(Address),
                ]);
            while (await Task.WhenAny(start, Task.Delay(PollInterval, CancellationToken.None)) != start)
            {
                if (cancellationToken.IsCancellationRequested)
                {
                    using Postmaster? early = Postmaster.Find(home.Cluster);
                    early?.Kill(); // It has served nobody yet.
                }
            }

            cancellationToken.ThrowIfCancellationRequested();
            ProgramResult result = await start;
            return result.ExitCode == 0 ? null : DescribeFailure(result);
        }
        finally
        {
            _isStarting = false;
        }
    }

    private void PassOver(PostmasterFile stale)
    {
        if (Postmaster.IsTaken(stale.Pid))
        {
            logger.StalePidFile(stale.Pid);
            PostmasterFile.DisownStranger(home.Cluster);
        }

        if (Address is null)
        {
            ServerAddress.Of(stale).Release();
        }
    }

    private string? DescribeFailure(ProgramResult result)
    {
        string log = File.Exists(home.StartLog) ? File.ReadAllText(home.StartLog) : "";
        using Postmaster? other = Postmaster.Find(home.Cluster);

        // Backends of a killed postmaster end by themselves in a moment; another start may have been quicker than ours.
        if (other is not null || log.Contains("shared memory", StringComparison.Ordinal))
        {
            return log.Trim();
        }

        throw new StartupException(
            ExitCode.NoPostgres,
            $"The private PostgreSQL {programs.Version} in {home.Folder} does not start.\n{result.Output}\n{log}".Trim()
            + $"\nIts log is in {home.LogFolder}.");
    }

    private async Task<Postmaster?> FindStartedAsync()
    {
        while (_isStarting)
        {
            if (Postmaster.Find(home.Cluster) is { } found)
            {
                return found;
            }

            await Task.Delay(PollInterval);
        }

        return Postmaster.Find(home.Cluster);
    }

    private static async Task<bool> DiesWithinAsync(Postmaster postmaster, TimeSpan patience)
    {
        for (TimeSpan waited = TimeSpan.Zero; waited < patience; waited += PollInterval)
        {
            if (!postmaster.IsAlive)
            {
                return true;
            }

            await Task.Delay(PollInterval);
        }

        return !postmaster.IsAlive;
    }

    /// <summary>
    /// A signal to the silo's process group, as a terminal or a supervisor sends it, must not end pg_ctl: the server that
    /// it has just forked would be left behind, and could not be found before it has written its pid file.
    /// </summary>
    private Task<ProgramResult> StartServerAsync(string[] arguments)
    {
        ProcessStartInfo start = user.Command(programs.PgCtl, arguments, home.Folder);
        if (OperatingSystem.IsLinux())
        {
            start.ArgumentList.Insert(0, start.FileName);
            start.FileName = "setsid"; // Of util-linux, as setpriv; it execs.
        }

        return ChildProgram.RunAsync(start, CancellationToken.None);
    }

    private Task<ProgramResult> RunPgCtlAsync(string[] arguments, CancellationToken cancellationToken) =>
        ChildProgram.RunAsync(user.Command(programs.PgCtl, arguments, home.Folder), cancellationToken);
}
