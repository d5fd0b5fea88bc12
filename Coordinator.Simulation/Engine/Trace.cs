using System.Globalization;
using System.Runtime.CompilerServices;

namespace Coordinator.Simulation.Engine;

/// <summary>
/// What happened, a line an event, and a hash over all lines. Two runs of one seed must agree in every byte. Off, it
/// costs nothing: the line is not even built.
/// </summary>
internal sealed class Trace(EventQueue events, TextWriter? output, bool hashed)
{
    private const ulong Prime = 0x100000001B3;

    public bool IsOn { get; } = output is not null || hashed;

    public ulong Hash { get; private set; } = 0xCBF29CE484222325;

    public long Lines { get; private set; }

    public void Add([InterpolatedStringHandlerArgument("")] ref Line line)
    {
        if (!IsOn)
            return;
        string text = line.ToText();
        Lines++;
        foreach (char c in text)
            Hash = (Hash ^ c) * Prime;
        Hash = (Hash ^ '\n') * Prime;
        output?.WriteLine(text);
    }

    [InterpolatedStringHandler]
    internal ref struct Line
    {
        private DefaultInterpolatedStringHandler _text;

        public Line(int literalLength, int formattedCount, Trace trace, out bool isNeeded)
        {
            isNeeded = trace.IsOn;
            if (!isNeeded)
                return;
            _text = new DefaultInterpolatedStringHandler(literalLength + 16, formattedCount + 1, CultureInfo.InvariantCulture);
            _text.AppendFormatted(trace.NowSeconds, 12, "0.000000");
            _text.AppendLiteral("  ");
        }

        public void AppendLiteral(string value) => _text.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public string ToText() => _text.ToStringAndClear();
    }

    private double NowSeconds => events.NowUs / 1e6;
}
