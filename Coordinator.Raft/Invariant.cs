using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Coordinator.Raft;

/// <summary>Assertions that stay on in production. The message is built only when one fails.</summary>
internal static class Invariant
{
    public static void Require(
        [DoesNotReturnIf(false)] bool condition,
        [InterpolatedStringHandlerArgument(nameof(condition))] ref FailureMessage message)
    {
        if (!condition)
        {
            throw new RaftInvariantException(message.ToStringAndClear());
        }
    }

    [InterpolatedStringHandler]
    internal ref struct FailureMessage
    {
        private DefaultInterpolatedStringHandler _text;

        public FailureMessage(int literalLength, int formattedCount, bool condition, out bool isNeeded)
        {
            isNeeded = !condition;
            _text = isNeeded
                ? new DefaultInterpolatedStringHandler(
                    literalLength, formattedCount, System.Globalization.CultureInfo.InvariantCulture)
                : default;
        }

        public void AppendLiteral(string value) => _text.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public string ToStringAndClear() => _text.ToStringAndClear();
    }
}
