using Coordinator.Contracts;

namespace Coordinator.Client;

/// <summary>The exception for each code: few have a type of their own.</summary>
internal static class Refusal
{
    /// <param name="message">The silo's; empty: what the code means in general.</param>
    public static CoordinatorException Of(ErrorCode code, string message, long compactedRevision = 0)
    {
        string text = $"{code}. {(message.Length == 0 ? ErrorText.Of(code) : message)}";
        return code switch
        {
            ErrorCode.Compacted => new RevisionCompactedException(compactedRevision, text),
            ErrorCode.ConditionFailed => new ConditionFailedException(text),
            _ => new CoordinatorException(code, text),
        };
    }
}
