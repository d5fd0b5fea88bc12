using System.Globalization;
using Coordinator.Contracts;

namespace Coordinator.Tests.Silo;

/// <summary>A field of a request, with values that it can never have, as JSON.</summary>
/// <param name="Missing">What leaving it out is refused with; null: it may be left out.</param>
internal sealed record BadField(string Name, ErrorCode Code, string[] Values, ErrorCode? Missing = null);

/// <summary>The kinds of fields, and what is wrong for each.</summary>
internal static class HttpBadValues
{
    private static readonly string PastLabel = $"\"{new string('l', Limits.LabelBytesMax + 1)}\"";
    private static readonly string PastName = $"\"{new string('n', Limits.NameBytesMax + 1)}\"";

    public static BadField Id(string name, bool required = false) => new(
        name, ErrorCode.InvalidRequest, ["\"x\"", "\"\"", "0", "-1", "1.5", "99999999999999999999", "true", "null", "[]", "{}"],
        required ? ErrorCode.InvalidRequest : null);

    public static BadField Count(string name, long max = long.MaxValue, ErrorCode? missing = null) => new(
        name, ErrorCode.InvalidRequest,
        ["\"x\"", "0", "-1", "1.5", "1e0", $"{(Int128)max + 1}", "true", "null", "[]"], missing);

    public static BadField Seconds(string name, ErrorCode code, double max, ErrorCode? missing = null) => new(
        name, code, ["-1", "\"x\"", "null", "1e999", "-1e999", "true", (max + 0.001).ToString(CultureInfo.InvariantCulture)], missing);

    public static BadField Flag(string name) => new(name, ErrorCode.InvalidRequest, ["1", "\"yes\"", "null", "[]"]);

    public static BadField Label(string name) => new(name, ErrorCode.InvalidRequest, ["7", "null", "[]", "\"a\\nb\"", PastLabel]);

    public static BadField Prefix(string name) => new(name, ErrorCode.InvalidName, [PastName, "\"a\\nb\""]);

    public static BadField Word(string name) => new(name, ErrorCode.InvalidRequest, ["\"no such word\"", "7", "null"]);

    public static BadField Uuid(string name) => new(name, ErrorCode.InvalidRequest, ["\"x\"", "7", "null"]);

    public static BadField List(string name) => new(name, ErrorCode.InvalidRequest, ["{}", "7", "null", "[1]", "\"x\""]);
}
