using Coordinator.Simulation.Linearizability;

namespace Coordinator.Tests.Linearizability;

public sealed class HistoryFileTests
{
    private const string LockHeader = """{"history":"lock","version":1}""";

    [Fact]
    public void A_history_is_read_as_it_was_written()
    {
        ConfigModel model = new();
        for (int seed = 0; seed < 200; seed++)
        {
            TrueConfig truth = new(new Random(seed));
            IReadOnlyList<HistoryEvent<ConfigInput, ConfigOutput>> history =
                RandomHistory.Make<ConfigInput, ConfigOutput>(
                    new Random(seed), truth.Ask, truth.Apply, (_, _) => new ConfigOutput.NotFound());
            string text = Write(model, history);
            Assert.True(history.SequenceEqual(HistoryFile.Read(new StringReader(text), model)), $"seed {seed}");
        }
    }

    [Fact]
    public void Every_lock_operation_and_answer_survives_the_file()
    {
        LockModel model = new();
        LockInput[] inputs =
        [
            new LockInput.Acquire("ключ \"q\"\n", 1), new LockInput.Release("l", 1, 4), new LockInput.Look("l"),
            new LockInput.EndSession(1), new LockInput.EndSession(1, "l"), new LockInput.Acquire("l", 1, 7),
            new LockInput.Withdraw("l", 1, 7),
        ];
        LockOutput[] outputs =
        [
            new LockOutput.Granted(4), new LockOutput.NotAcquired(), new LockOutput.AlreadyHeld(),
            new LockOutput.Released(), new LockOutput.NotHeld(), new LockOutput.Holder(1, long.MaxValue),
            new LockOutput.Free(), new LockOutput.Ended(),
            new LockOutput.AlreadyHeld(4), new LockOutput.Released(4),
        ];
        List<HistoryEvent<LockInput, LockOutput>> history = [];
        foreach (LockOutput output in outputs)
        {
            int id = history.Count;
            history.Add(new HistoryEvent<LockInput, LockOutput>.Invoked(id, id, 3, inputs[id % inputs.Length]));
            history.Add(new HistoryEvent<LockInput, LockOutput>.Returned(id, id + 1, output));
        }
        for (int i = 0; i < inputs.Length; i++)
            history.Add(new HistoryEvent<LockInput, LockOutput>.Invoked(100 + i, 100, 4, inputs[i]));
        history.Add(new HistoryEvent<LockInput, LockOutput>.GaveUp(100, 120));
        history.Add(new HistoryEvent<LockInput, LockOutput>.HadNoEffect(101, 121));
        string text = Write(model, history);
        Assert.Equal(history, HistoryFile.Read(new StringReader(text), model));
        Assert.Equal(history.Count + 1, text.Count(c => c == '\n'));
    }

    [Fact]
    public void A_file_names_its_model_and_can_be_checked_without_knowing_it()
    {
        const string Text = LockHeader + "\n" + """
            {"id":0,"atUs":10,"client":1,"invoke":{"op":"acquire","name":"l","session":1}}
            {"id":0,"atUs":20,"return":{"outcome":"granted","token":4}}
            {"id":1,"atUs":30,"client":2,"invoke":{"op":"acquire","name":"l","session":2}}
            {"id":1,"atUs":40,"return":{"outcome":"granted","token":5}}
            """;
        Assert.Equal(Verdict.NotLinearizable, HistoryFile.Check(new StringReader(Text)).Verdict);
        Assert.Equal(Verdict.Undecided, HistoryFile.Check(new StringReader(Text), stepsMax: 1).Verdict);
        OperationRecorder<ConfigInput, ConfigOutput> config = new(new ManualTime());
        config.Return(config.Invoke(1, new ConfigInput.Get("k")), new ConfigOutput.NotFound());
        string dumped = Write(new ConfigModel(), config.History());
        Assert.Equal(Verdict.Linearizable, HistoryFile.Check(new StringReader(dumped)).Verdict);
    }

    [Theory]
    [InlineData("", "Line 1")]
    [InlineData("not json", "Line 1")]
    [InlineData("""{"history":"lock","version":2}""", "Line 1")]
    [InlineData("""{"history":"queue","version":1}""", "Line 1")]
    [InlineData(LockHeader + "\n{", "Line 2")]
    [InlineData(LockHeader + "\nnull", "Line 2")]
    [InlineData(LockHeader + "\n{\"id\":0,\"atUs\":1}", "Line 2")]
    [InlineData(LockHeader + "\n{\"id\":0,\"atUs\":1,\"end\":\"tired\"}", "Line 2")]
    [InlineData(LockHeader + "\n{\"id\":0,\"atUs\":1,\"end\":\"gave-up\",\"why\":1}", "Line 2")]
    [InlineData(LockHeader + "\n{\"id\":0,\"atUs\":1,\"client\":1,\"invoke\":{\"op\":\"steal\"}}", "Line 2")]
    [InlineData(LockHeader + "\n{\"id\":0,\"atUs\":1,\"client\":1,\"invoke\":{\"op\":\"look\"}}", "Line 2")]
    public void What_is_no_history_is_refused_with_the_line(string text, string line)
    {
        FormatException refused = Assert.Throws<FormatException>(() => HistoryFile.Check(new StringReader(text)));
        Assert.StartsWith(line, refused.Message, StringComparison.Ordinal);
    }

    private static string Write<TInput, TOutput, TState>(
        Model<TInput, TOutput, TState> model, IReadOnlyList<HistoryEvent<TInput, TOutput>> history)
        where TInput : class
        where TOutput : class
    {
        using StringWriter writer = new();
        HistoryFile.Write(writer, model, history);
        return writer.ToString();
    }
}
