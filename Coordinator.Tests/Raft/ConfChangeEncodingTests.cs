using Coordinator.Raft;

namespace Coordinator.Tests.Raft;

public sealed class ConfChangeEncodingTests
{
    [Fact]
    public void The_empty_change_is_no_bytes_and_no_bytes_are_the_empty_change()
    {
        Assert.True(new ConfChangeV2().Encode().IsEmpty);
        Assert.True(ConfChangeV2.Decode(default).LeavesJoint);
    }

    [Theory]
    [InlineData(ConfChangeTransition.Auto)]
    [InlineData(ConfChangeTransition.JointImplicit)]
    [InlineData(ConfChangeTransition.JointExplicit)]
    public void A_change_is_decoded_as_it_was_encoded(ConfChangeTransition transition)
    {
        ConfChangeV2 change = new()
        {
            Transition = transition,
            Changes =
            [
                new(ConfChangeType.AddNode, new PeerId(1)),
                new(ConfChangeType.RemoveNode, new PeerId(long.MaxValue - 2)),
                new(ConfChangeType.UpdateNode, new PeerId(3)),
                new(ConfChangeType.AddLearnerNode, new PeerId(4)),
            ],
            Context = new byte[] { 1, 2, 3 },
        };

        ConfChangeV2 decoded = ConfChangeV2.Decode(change.Encode());

        Assert.Equal(transition, decoded.Transition);
        Assert.Equal(change.Changes, decoded.Changes);
        Assert.Equal(change.Context.ToArray(), decoded.Context.ToArray());
    }

    [Fact]
    public void A_context_alone_is_kept()
    {
        ConfChangeV2 decoded = ConfChangeV2.Decode(new ConfChangeV2 { Context = new byte[] { 7 } }.Encode());

        Assert.Equal([7], decoded.Context.ToArray());
        Assert.True(decoded.LeavesJoint);
    }

    [Fact]
    public void A_single_change_is_decoded_as_it_was_encoded()
    {
        ConfChange change = new(ConfChangeType.RemoveNode, new PeerId(3), new byte[] { 9 });

        ConfChange decoded = ConfChange.Decode(change.Encode());

        Assert.Equal((change.Type, change.Peer), (decoded.Type, decoded.Peer));
        Assert.Equal([9], decoded.Context.ToArray());
    }

    [Fact]
    public void Every_shortened_or_foreign_encoding_is_refused()
    {
        byte[] bytes = new ConfChangeV2 { Changes = [new(ConfChangeType.AddNode, new PeerId(5))] }.Encode().ToArray();
        for (int length = 1; length < bytes.Length; length++)
        {
            byte[] cut = bytes[..length];
            Assert.Throws<FormatException>(() => ConfChangeV2.Decode(cut));
        }

        foreach ((int at, byte value) in (ReadOnlySpan<(int, byte)>)[(0, 2), (1, 3), (2, 2), (4, 4)])
        {
            byte[] changed = [.. bytes];
            changed[at] = value;
            Assert.Throws<FormatException>(() => ConfChangeV2.Decode(changed));
        }
    }
}
