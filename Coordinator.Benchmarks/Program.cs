using Coordinator.Benchmarks;

return args switch
{
    ["smoke", .. string[] rest] => await SmokeBenchmark.RunAsync(rest),
    ["raft", .. string[] rest] => RaftBenchmark.Run(rest),
    ["links", .. string[] rest] => await LinkBenchmark.RunAsync(rest),
    ["idle", .. string[] rest] => await IdleBenchmark.RunAsync(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        Coordinator.Benchmarks: figures, measured side by side in one run.

          smoke [--seconds N] [--listen ADDRESS]   acquire+release and put with 1 and 100 workers, through the client, against
                                                   a silo of its own (or the one at ADDRESS): rate, p50 and p99
          raft [--seconds N]                       the bare core in memory: three nodes, 128-byte entries, batches beside the
                                                   naive one-at-a-time loop
          links [--seconds N]                      one link between two silos over loopback: heartbeats, and appends of 128
                                                   bytes and of 64 KiB
          idle [--groups N] [--seconds N]          three silos in which nothing happens, with one group and with N (default
                                                   1000): processor time and memory
        """);
    return 2;
}
