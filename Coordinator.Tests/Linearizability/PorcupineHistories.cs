using System.Globalization;
using System.Text.RegularExpressions;
using Coordinator.Simulation.Linearizability;
using KeyValueEvent = Coordinator.Simulation.Linearizability.HistoryEvent<
    Coordinator.Simulation.Linearizability.KeyValueInput, Coordinator.Simulation.Linearizability.KeyValueOutput>;
using RegisterEvent = Coordinator.Simulation.Linearizability.HistoryEvent<
    Coordinator.Simulation.Linearizability.RegisterInput, Coordinator.Simulation.Linearizability.RegisterOutput>;

namespace Coordinator.Tests.Linearizability;

/// <summary>
/// Reads the public histories. Invariant: a line that is not understood is an error, so that no operation is lost.
/// A process has one operation at a time; a number stands for a new one once its operation's outcome is unknown.
/// </summary>
internal static partial class PorcupineHistories
{
    /// <summary>
    /// A line "INFO jepsen.util - process, what, operation, value". What failed did not happen; a
    /// compare-and-set that failed found another value; :info is a time-out with an unknown outcome.
    /// </summary>
    public static List<RegisterEvent> ReadEtcd(string path)
    {
        List<RegisterEvent> history = [];
        Dictionary<int, int> running = [];
        foreach (string line in File.ReadLines(path))
        {
            Match match = EtcdLine().Match(line);
            if (!match.Success)
                throw new FormatException($"{path}: {line}");
            int process = Number(match.Groups["process"].Value);
            (string type, string f, string value) =
                (match.Groups["type"].Value, match.Groups["f"].Value, match.Groups["value"].Value);
            int at = history.Count;
            if (type == "invoke")
            {
                running.Add(process, at);
                history.Add(new RegisterEvent.Invoked(at, at, process, EtcdInput(f, value)));
                continue;
            }
            running.Remove(process, out int operation);
            history.Add((type, f, value) switch
            {
                ("info", _, ":timed-out") => new RegisterEvent.GaveUp(operation, at),
                ("fail", "read", ":timed-out") => new RegisterEvent.HadNoEffect(operation, at),
                ("ok", "read", _) => new RegisterEvent.Returned(operation, at, new RegisterOutput.Value(
                    value == "nil" ? null : Number(value))),
                ("ok", "write", _) => new RegisterEvent.Returned(operation, at, new RegisterOutput.Written()),
                ("ok" or "fail", "cas", not ":timed-out") =>
                    new RegisterEvent.Returned(operation, at, new RegisterOutput.Compared(type == "ok")),
                _ => throw new FormatException($"{path}: {line}"),
            });
        }
        return history;
    }

    /// <summary>A line "{:process 0, :type :invoke, :f :append, :key "0", :value "x"}".</summary>
    public static List<KeyValueEvent> ReadKeyValue(string path)
    {
        List<KeyValueEvent> history = [];
        Dictionary<int, int> running = [];
        foreach (string line in File.ReadLines(path))
        {
            Match match = KeyValueLine().Match(line);
            if (!match.Success)
                throw new FormatException($"{path}: {line}");
            int process = Number(match.Groups["process"].Value);
            (string f, string key, string value) =
                (match.Groups["f"].Value, match.Groups["key"].Value, match.Groups["value"].Value);
            int at = history.Count;
            if (match.Groups["type"].Value == "invoke")
            {
                running.Add(process, at);
                history.Add(new KeyValueEvent.Invoked(at, at, process, f switch
                {
                    "get" => new KeyValueInput.Get(key),
                    "put" => new KeyValueInput.Put(key, value),
                    _ => new KeyValueInput.Append(key, value),
                }));
                continue;
            }
            running.Remove(process, out int operation);
            history.Add(new KeyValueEvent.Returned(operation, at,
                f == "get" ? new KeyValueOutput.Value(value) : new KeyValueOutput.Done()));
        }
        return history;
    }

    private static RegisterInput EtcdInput(string f, string value)
    {
        if (f != "cas")
            return f == "read" ? new RegisterInput.Read() : new RegisterInput.Write(Number(value));
        string[] pair = value.Trim('[', ']').Split(' ');
        return new RegisterInput.CompareAndSet(Number(pair[0]), Number(pair[1]));
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^INFO\s+jepsen\.util - (?<process>\d+)\s+:(?<type>invoke|ok|fail|info)\s+" +
        @":(?<f>read|write|cas)\s+(?<value>nil|\d+|\[\d+ \d+\]|:timed-out)$")]
    private static partial Regex EtcdLine();

    [GeneratedRegex(@"^\{:process (?<process>\d+), :type :(?<type>invoke|ok), :f :(?<f>get|put|append), " +
        @":key ""(?<key>[^""]*)"", :value (nil|""(?<value>[^""]*)"")\}$")]
    private static partial Regex KeyValueLine();
}
