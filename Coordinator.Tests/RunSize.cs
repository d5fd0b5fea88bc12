using System.Globalization;

namespace Coordinator.Tests;

/// <summary>How long a test runs that has a long form: a number in the environment, which the scripts set.</summary>
internal static class RunSize
{
    /// <param name="everyday">Where the variable isn't set.</param>
    public static int Of(string variable, int everyday) => Find(variable) ?? everyday;

    /// <summary>Null: the variable isn't set.</summary>
    public static int? Find(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
        ? int.Parse(value, CultureInfo.InvariantCulture)
        : null;
}
