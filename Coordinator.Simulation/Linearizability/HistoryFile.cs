using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coordinator.Simulation.Linearizability;

/// <summary>
/// A history as text: a line of JSON that names the model, then one for each event. Invariant: reading gives what was
/// written; the same history gives the same bytes.
/// </summary>
internal static class HistoryFile
{
    private const int FormatVersion = 1;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        AllowOutOfOrderMetadataProperties = true,
    };

    public static void Write<TInput, TOutput, TState>(
        TextWriter writer, Model<TInput, TOutput, TState> model, IReadOnlyList<HistoryEvent<TInput, TOutput>> history)
        where TInput : class
        where TOutput : class
    {
        writer.Write(JsonSerializer.Serialize(new Header(model.Name, FormatVersion), Options) + '\n');
        foreach (HistoryEvent<TInput, TOutput> now in history)
            writer.Write(JsonSerializer.Serialize(ToLine(now), Options) + '\n');
    }

    /// <summary>Reads a history and checks it.</summary>
    /// <param name="model">The model that the first line has to name; null: any that is known.</param>
    /// <exception cref="FormatException">The text is no history; the message names the line.</exception>
    public static CheckResult Check(
        TextReader reader, string? model = null, long stepsMax = LinearizabilityChecker.StepsMaxDefault)
    {
        Header header = Parse<Header>(reader.ReadLine() ?? "", 1);
        if (header.Version != FormatVersion)
            throw new FormatException($"Line 1: version {header.Version} of the format is not {FormatVersion}.");
        if (model is not null && header.History != model)
            throw new FormatException($"Line 1: the history is of \"{header.History}\", not of \"{model}\".");
        ConfigModel config = new();
        LockModel locks = new();
        if (header.History == config.Name)
            return LinearizabilityChecker.Check(config, ReadEvents<ConfigInput, ConfigOutput>(reader), stepsMax);
        if (header.History == locks.Name)
            return LinearizabilityChecker.Check(locks, ReadEvents<LockInput, LockOutput>(reader), stepsMax);
        throw new FormatException(
            $"Line 1: no model is called \"{header.History}\"; there are {config.Name} and {locks.Name}.");
    }

    /// <summary>The events after the first line, which names the model.</summary>
    /// <exception cref="FormatException">A line is no event; the message names it.</exception>
    public static IReadOnlyList<HistoryEvent<TInput, TOutput>> Read<TInput, TOutput, TState>(
        TextReader reader, Model<TInput, TOutput, TState> model)
        where TInput : class
        where TOutput : class
    {
        Header header = Parse<Header>(reader.ReadLine() ?? "", 1);
        return header == new Header(model.Name, FormatVersion)
            ? ReadEvents<TInput, TOutput>(reader)
            : throw new FormatException($"Line 1: {header} is not version {FormatVersion} of {model.Name}.");
    }

    private static List<HistoryEvent<TInput, TOutput>> ReadEvents<TInput, TOutput>(TextReader reader)
        where TInput : class
        where TOutput : class
    {
        List<HistoryEvent<TInput, TOutput>> history = [];
        for (int number = 2; reader.ReadLine() is { } text; number++)
            history.Add(FromLine(Parse<Line<TInput, TOutput>>(text, number), number));
        return history;
    }

    private static T Parse<T>(string text, int number)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(text, Options) ?? throw new FormatException($"Line {number}: null.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new FormatException($"Line {number}: {e.Message}", e);
        }
    }

    private static Line<TInput, TOutput> ToLine<TInput, TOutput>(HistoryEvent<TInput, TOutput> now)
        where TInput : class
        where TOutput : class
    {
        Line<TInput, TOutput> line = new() { Id = now.Operation, AtUs = now.AtUs };
        return now switch
        {
            HistoryEvent<TInput, TOutput>.Invoked invoked =>
                line with { Client = invoked.Client, Invoke = invoked.Input },
            HistoryEvent<TInput, TOutput>.Returned returned => line with { Return = returned.Output },
            HistoryEvent<TInput, TOutput>.GaveUp => line with { End = Ending.GaveUp },
            _ => line with { End = Ending.HadNoEffect },
        };
    }

    private static HistoryEvent<TInput, TOutput> FromLine<TInput, TOutput>(Line<TInput, TOutput> line, int number)
        where TInput : class
        where TOutput : class => line switch
        {
            { Client: { } client, Invoke: { } input, Return: null, End: null } =>
                new HistoryEvent<TInput, TOutput>.Invoked(line.Id, line.AtUs, client, input),
            { Client: null, Invoke: null, Return: { } output, End: null } =>
                new HistoryEvent<TInput, TOutput>.Returned(line.Id, line.AtUs, output),
            { Client: null, Invoke: null, Return: null, End: Ending.GaveUp } =>
                new HistoryEvent<TInput, TOutput>.GaveUp(line.Id, line.AtUs),
            { Client: null, Invoke: null, Return: null, End: Ending.HadNoEffect } =>
                new HistoryEvent<TInput, TOutput>.HadNoEffect(line.Id, line.AtUs),
            _ => throw new FormatException(
                $"Line {number}: an event has client and invoke, or return, or end ({Ending.GaveUp}, " +
                $"{Ending.HadNoEffect}), and nothing else."),
        };

    private static class Ending
    {
        public const string GaveUp = "gave-up";
        public const string HadNoEffect = "no-effect";
    }

    private sealed record Header(string History, int Version);

    private sealed record Line<TInput, TOutput>
    {
        public required int Id { get; init; }
        public required long AtUs { get; init; }
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public int? Client { get; init; }
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public TInput? Invoke { get; init; }
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public TOutput? Return { get; init; }
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? End { get; init; }
    }
}
