namespace Coordinator.Simulation.Linearizability;

internal abstract record RegisterInput
{
    public sealed record Read : RegisterInput;

    public sealed record Write(int Value) : RegisterInput;

    public sealed record CompareAndSet(int Expected, int Value) : RegisterInput;
}

internal abstract record RegisterOutput
{
    public sealed record Value(int? Found) : RegisterOutput;

    public sealed record Written : RegisterOutput;

    public sealed record Compared(bool Swapped) : RegisterOutput;
}

/// <summary>One register of whole numbers, empty at first. Invariant: it holds what was written last.</summary>
internal sealed class RegisterModel : Model<RegisterInput, RegisterOutput, int?>
{
    public override string Name => "register";

    public override int? Initial => null;

    public override string? KeyOf(RegisterInput input) => "register";

    public override bool TryStep(int? state, RegisterInput input, RegisterOutput? output, out int? next)
    {
        next = state;
        switch (input, output)
        {
            case (RegisterInput.Read, null):
                return true;
            case (RegisterInput.Read, RegisterOutput.Value value):
                return value.Found == state;
            case (RegisterInput.Write write, null or RegisterOutput.Written):
                next = write.Value;
                return true;
            case (RegisterInput.CompareAndSet cas, null or RegisterOutput.Compared):
                bool equal = cas.Expected == state;
                next = equal ? cas.Value : state;
                return output is not RegisterOutput.Compared compared || compared.Swapped == equal;
            default:
                throw new ArgumentException($"{output} is no answer to {input}.", nameof(output));
        }
    }

    public override string Describe(RegisterInput input, RegisterOutput? output)
    {
        string asked = input switch
        {
            RegisterInput.Write write => $"write {write.Value}",
            RegisterInput.CompareAndSet cas => $"compare-and-set {cas.Expected} → {cas.Value}",
            _ => "read",
        };
        return output switch
        {
            RegisterOutput.Value value => $"{asked}: {value.Found?.ToString() ?? "nil"}",
            RegisterOutput.Compared compared => $"{asked}: {(compared.Swapped ? "swapped" : "differed")}",
            RegisterOutput.Written => $"{asked}: ok",
            _ => $"{asked}: unknown",
        };
    }
}
