using System.Text;
using Coordinator.Raft;
using Coordinator.Raft.Membership;
using Coordinator.Raft.Tracker;

namespace Coordinator.Tests.Conformance;

/// <summary>Membership changes: the configuration and progress that result, or a refusal.</summary>
public sealed class MembershipConformanceTests
{
    internal const string Part = "etcd-raft/confchange";

    public static TheoryData<string> Files() => ConformanceFolder.FilesOf(Part);

    [ConformanceTheory(Part)]
    [MemberData(nameof(Files))]
    public void Every_membership_change_ends_as_published(string file)
    {
        ProgressTracker tracker = new(maxInflightMessages: 10, maxInflightBytes: 0);
        List<string> wrong = [];
        int step = 0;
        foreach (Directive directive in DirectiveFile.Read(Path.Combine(ConformanceFolder.Of(Part), file)))
        {
            string actual = Apply(directive, tracker, lastIndex: step++);
            if (actual.Trim() != directive.Expected.ReplaceLineEndings("\n").Trim())
            {
                wrong.Add($"{file}:{directive.Line}: expected\n{directive.Expected}got\n{actual}");
            }

            // Restoring what a ConfState says must lead to the same configuration.
            ProgressTracker restored = new(10, 0);
            MembershipOutcome again = new MembershipChanger(restored, 1).Restore(tracker.Configuration.ToConfState());
            Assert.Equal(tracker.Configuration, Assert.IsType<MembershipOutcome.Changed>(again).Configuration);
        }

        Assert.Empty(wrong);
    }

    private static string Apply(Directive directive, ProgressTracker tracker, long lastIndex)
    {
        MembershipChanger changer = new(tracker, lastIndex);
        ConfChangeSingle[] changes = ConfChangeText.Parse(directive.Input);
        MembershipOutcome outcome = directive.Command switch
        {
            "simple" => changer.Simple(changes),
            "enter-joint" => changer.EnterJoint(directive.Find("autoleave")?.Value == "true", changes),
            "leave-joint" => changer.LeaveJoint(),
            _ => throw new FormatException($"Line {directive.Line}: unknown command {directive.Command}."),
        };
        if (outcome is MembershipOutcome.Refused refused)
        {
            return Text(refused.Reason);
        }

        MembershipOutcome.Changed changed = (MembershipOutcome.Changed)outcome;
        tracker.Switch(changed.Configuration, changed.Peers);
        StringBuilder text = new StringBuilder().Append(TranscriptText.Of(changed.Configuration)).Append('\n');
        for (int i = 0; i < changed.Peers.Count; i++)
        {
            PeerId id = changed.Peers.IdAt(i);
            text.Append(TranscriptText.Of(changed.Peers.At(i).ToStatus(id))).Append('\n');
        }

        return text.ToString();
    }

    private static string Text(MembershipRefusal reason) => reason switch
    {
        MembershipRefusal.AlreadyJoint => "config is already joint",
        MembershipRefusal.NotJoint => "can't leave a non-joint config",
        MembershipRefusal.SimpleWhileJoint => "can't apply simple config change in joint config",
        MembershipRefusal.NoVoterToJoin => "can't make a zero-voter config joint",
        MembershipRefusal.RemovesAllVoters => "removed all voters",
        MembershipRefusal.SeveralVotersAtOnce => "more than one voter changed without entering joint config",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, null),
    };
}
