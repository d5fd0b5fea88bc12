using System.Globalization;
using System.Text;
using System.Text.Json;
using Coordinator.Contracts;
using Google.Protobuf.Reflection;

namespace Coordinator.Tests.Fuzz;

/// <summary>
/// Draws JSON bodies and query strings. A route's fields are those of the messages that are named most like it, so that
/// a new route with its message in the contracts gets bodies that come near to being right.
/// </summary>
internal sealed class JsonSource(Random random, IReadOnlyList<long> sessions)
{
    private static readonly string[] OtherFields =
        ["consistency", "values", "mode", "namespace", "after", "prefix", "limit", "unknown", "", "__proto__", "\\u0073essionId"];

    private static readonly MessageDescriptor[] Messages =
        [.. CommandsReflection.Descriptor.MessageTypes.Concat(WireReflection.Descriptor.MessageTypes)];

    private static readonly Dictionary<string, string[]> FieldsOfTemplate = [];

    public string Body(string template) => random.Next(12) switch
    {
        0 => "",
        1 => Value(0),
        2 => new string('[', random.Next(1, 70_000)),
        3 => string.Concat(Enumerable.Repeat("{\"a\":", random.Next(1, 2000))),
        4 => "\uFEFF" + Object(template),
        5 => Object(template) + Object(template),
        _ => Object(template),
    };

    public string Query(string template)
    {
        StringBuilder query = new();
        for (int i = random.OneIn(3) ? random.Next(1, 5) : 0; i > 0; i--)
            query.Append(query.Length == 0 ? '?' : '&').Append(Field(template)).Append('=')
                .Append(random.OneIn(4) ? FuzzValues.Name(random) : Value(0).Trim('"'));
        return query.ToString();
    }

    private string Object(string template)
    {
        IEnumerable<string> fields = random.OneIn(3)
            ? Enumerable.Range(0, random.Next(6)).Select(_ => Field(template))
            : FieldsOf(template);
        return $"{{{string.Join(',', fields.Where(_ => !random.OneIn(6)).Select(field => $"\"{field}\":{ValueOf(field)}"))}}}";
    }

    private string Field(string template) =>
        random.OneIn(2) ? random.Pick(OtherFields) : random.Pick(FieldsOf(template) is { Length: > 0 } own ? own : OtherFields);

    private string ValueOf(string field)
    {
        if (random.OneIn(6))
            return Value(0);
        if (field.EndsWith("essionId", StringComparison.Ordinal))
            return $"\"{random.Pick(sessions)}\"";
        if (field.EndsWith("Seconds", StringComparison.Ordinal))
            return random.Pick(["0.5", "1", "0", "2", "0.01"]);
        return random.OneIn(2) ? $"{random.Next(1, 4)}" : JsonSerializer.Serialize(FuzzValues.Name(random));
    }

    private string Value(int depth) => random.Next(12) switch
    {
        0 => "null",
        1 => "true",
        2 => random.Pick(["NaN", "Infinity", "-0", "1e999", "-1e999", "1e-999", "0x10", "01", "1.", "+1", "9007199254740993", new string('9', 500)]),
        3 => $"{random.NextDouble() * Math.Pow(10, random.Next(-20, 20)):R}",
        4 => "\"\\ud800\"",
        5 when depth < 4 => $"[{Value(depth + 1)},{Value(depth + 1)}]",
        6 when depth < 4 => $"{{\"a\":{Value(depth + 1)}}}",
        7 => $"\"{FuzzValues.Number(random)}\"",
        8 => JsonSerializer.Serialize(FuzzValues.Text(random)),
        _ => FuzzValues.Number(random).ToString(CultureInfo.InvariantCulture),
    };

    private static string[] FieldsOf(string template)
    {
        lock (FieldsOfTemplate)
        {
            if (FieldsOfTemplate.TryGetValue(template, out string[]? known))
                return known;
            string[] words = [.. template.Split('/').Where(part => part is not "" and not "v1" && part[0] != '{').Select(word => word.TrimEnd('s'))];
            int Likeness(MessageDescriptor message) => words.Count(word => message.Name.Contains(word, StringComparison.OrdinalIgnoreCase));
            int best = Messages.Max(Likeness);
            return FieldsOfTemplate[template] =
            [
                .. Messages.Where(message => best > 0 && Likeness(message) == best).Append(Command.Descriptor)
                    .SelectMany(message => message.Fields.InDeclarationOrder())
                    .Where(field => field.FieldType != FieldType.Message).Select(JsonName).Distinct(),
            ];
        }
    }

    // Times are seconds over HTTP.
    private static string JsonName(FieldDescriptor field) => field.Name.EndsWith("_us", StringComparison.Ordinal)
        ? $"{field.JsonName[..^2]}Seconds"
        : field.JsonName;
}
