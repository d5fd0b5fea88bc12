using Coordinator.Simulation.Linearizability;
using Xunit.Abstractions;

namespace Coordinator.Tests.Linearizability;

/// <summary>The checker against the definition, on thousands of small histories, with each model.</summary>
public sealed class BruteForceTests(ITestOutputHelper output)
{
    private const int Histories = 1_500;
    private const int EachVerdictMin = 200;

    [Fact]
    public void On_register_histories_the_checker_agrees_with_brute_force() => Compare(new RegisterModel(), random =>
    {
        int? value = null;
        return RandomHistory.Make<RegisterInput, RegisterOutput>(random,
            () => random.Next(3) switch
            {
                0 => new RegisterInput.Read(),
                1 => new RegisterInput.Write(random.Next(3)),
                _ => new RegisterInput.CompareAndSet(random.Next(3), random.Next(3)),
            },
            input =>
            {
                switch (input)
                {
                    case RegisterInput.Write write:
                        value = write.Value;
                        return new RegisterOutput.Written();
                    case RegisterInput.CompareAndSet cas:
                        bool swapped = value == cas.Expected;
                        value = swapped ? cas.Value : value;
                        return new RegisterOutput.Compared(swapped);
                    default:
                        return new RegisterOutput.Value(value);
                }
            },
            (_, right) => right switch
            {
                RegisterOutput.Compared compared => new RegisterOutput.Compared(!compared.Swapped),
                RegisterOutput.Value => new RegisterOutput.Value(random.Next(3)),
                _ => right,
            });
    });

    [Fact]
    public void On_key_value_histories_the_checker_agrees_with_brute_force() => Compare(new KeyValueModel(), random =>
    {
        string value = "";
        return RandomHistory.Make<KeyValueInput, KeyValueOutput>(random,
            () => random.Next(5) switch
            {
                0 or 1 => new KeyValueInput.Get("k"),
                2 => new KeyValueInput.Put("k", "p"),
                _ => new KeyValueInput.Append("k", random.Next(2) == 0 ? "a" : "b"),
            },
            input =>
            {
                value = input switch
                {
                    KeyValueInput.Put put => put.Value,
                    KeyValueInput.Append append => value + append.Value,
                    _ => value,
                };
                return input is KeyValueInput.Get ? new KeyValueOutput.Value(value) : new KeyValueOutput.Done();
            },
            (_, right) => right is KeyValueOutput.Value seen ? new KeyValueOutput.Value(seen.Found + "a") : right);
    });

    [Fact]
    public void On_configuration_histories_the_checker_agrees_with_brute_force() => Compare(new ConfigModel(), random =>
    {
        TrueConfig truth = new(random);
        return RandomHistory.Make<ConfigInput, ConfigOutput>(random,
            truth.Ask, truth.Apply, (_, right) => right switch
            {
                ConfigOutput.Found found => found with { Revision = found.Revision + random.Next(-1, 2) },
                ConfigOutput.Stored stored => stored with { Version = stored.Version + 1 },
                ConfigOutput.Deleted deleted => new ConfigOutput.Deleted(deleted.Revision - 1),
                ConfigOutput.Transacted transacted when random.Next(2) == 0 =>
                    transacted with { IsThen = !transacted.IsThen, Told = null },
                ConfigOutput.Transacted transacted => transacted with { Revision = transacted.Revision - 1 },
                _ => right,
            });
    });

    [Fact]
    public void On_lock_histories_the_checker_agrees_with_brute_force() => Compare(new LockModel(), random =>
    {
        TrueLock truth = new(random);
        return RandomHistory.Make<LockInput, LockOutput>(random,
            truth.Ask, truth.Apply, (_, right) => right switch
            {
                LockOutput.Granted granted => new LockOutput.Granted(granted.Token - random.Next(2)),
                LockOutput.NotAcquired => new LockOutput.Granted(random.Next(1, 9)),
                LockOutput.Released => new LockOutput.NotHeld(),
                LockOutput.Free => new LockOutput.Holder(random.Next(1, 4), random.Next(1, 9)),
                _ => right,
            });
    });

    private void Compare<TInput, TOutput, TState>(
        Model<TInput, TOutput, TState> model, Func<Random, IReadOnlyList<HistoryEvent<TInput, TOutput>>> make)
        where TInput : class
        where TOutput : class
    {
        int linearizable = 0;
        for (int seed = 0; seed < Histories; seed++)
        {
            IReadOnlyList<HistoryEvent<TInput, TOutput>> history = make(new Random(seed));
            List<Operation<TInput, TOutput>> operations = Operation<TInput, TOutput>.FromHistory(history);
            CheckResult result = LinearizabilityChecker.Check(model, history);
            bool expected = BruteForce.IsLinearizable(model, operations);
            Assert.True(expected == (result.Verdict == Verdict.Linearizable), $"seed {seed}: {result.Verdict}");
            if (!expected)
                continue;
            linearizable++;
            Assert.All(result.Partitions.Take(1), p => Assert.True(
                BruteForce.IsWitness(model, operations, p.Order.Select(o => o.Id).ToList()), $"seed {seed}"));
        }
        output.WriteLine($"Seeds 0 to {Histories - 1}: {linearizable} linearizable, {Histories - linearizable} not.");
        Assert.InRange(linearizable, EachVerdictMin, Histories - EachVerdictMin);
    }
}
