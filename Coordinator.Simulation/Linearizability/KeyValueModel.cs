namespace Coordinator.Simulation.Linearizability;

internal abstract record KeyValueInput(string Key)
{
    public sealed record Get(string Key) : KeyValueInput(Key);

    public sealed record Put(string Key, string Value) : KeyValueInput(Key);

    public sealed record Append(string Key, string Value) : KeyValueInput(Key);
}

internal abstract record KeyValueOutput
{
    public sealed record Value(string Found) : KeyValueOutput;

    public sealed record Done : KeyValueOutput;
}

/// <summary>Keys with text values, empty at first. Invariant: an append keeps what was there.</summary>
internal sealed class KeyValueModel : Model<KeyValueInput, KeyValueOutput, string>
{
    public override string Name => "key-value";

    public override string Initial => "";

    public override string? KeyOf(KeyValueInput input) => input.Key;

    public override bool TryStep(string state, KeyValueInput input, KeyValueOutput? output, out string next)
    {
        next = state;
        switch (input, output)
        {
            case (KeyValueInput.Get, null):
                return true;
            case (KeyValueInput.Get, KeyValueOutput.Value value):
                return value.Found == state;
            case (KeyValueInput.Put put, null or KeyValueOutput.Done):
                next = put.Value;
                return true;
            case (KeyValueInput.Append append, null or KeyValueOutput.Done):
                next = state + append.Value;
                return true;
            default:
                throw new ArgumentException($"{output} is no answer to {input}.", nameof(output));
        }
    }

    public override string Describe(KeyValueInput input, KeyValueOutput? output)
    {
        string asked = input switch
        {
            KeyValueInput.Put put => $"put \"{put.Value}\"",
            KeyValueInput.Append append => $"append \"{append.Value}\"",
            _ => "get",
        };
        return output switch
        {
            KeyValueOutput.Value value => $"{asked}: \"{value.Found}\"",
            KeyValueOutput.Done => $"{asked}: ok",
            _ => $"{asked}: unknown",
        };
    }

    public override string DescribeState(string state) => $"\"{state}\"";
}
